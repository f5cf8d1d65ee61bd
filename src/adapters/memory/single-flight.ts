import { setImmediate as turnEnds } from 'node:timers/promises';

/**
 * Runs one load per key at a time. It starts when a turn of the event loop ends, for all callers of that turn. A call during
 * a load joins the next one: each caller sees all that had happened when it asked, and the store has one caller at a time.
 */
export function singleFlight<T>(load: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const underWay = new Map<string, Promise<T>>();
  const next = new Map<string, Promise<T>>();

  function start(key: string): Promise<T> {
    next.delete(key);
    const loading = load(key).finally(() => underWay.delete(key));
    underWay.set(key, loading);
    return loading;
  }

  async function startNext(key: string): Promise<T> {
    // A failure concerns the callers who wait for it.
    await underWay.get(key)?.catch(() => {});
    await turnEnds();
    return start(key);
  }

  return (key) => {
    const loading = next.get(key) ?? startNext(key);
    next.set(key, loading);
    return loading;
  };
}
