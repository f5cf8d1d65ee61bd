import { setImmediate as turnEnds } from 'node:timers/promises';

/**
 * Lets callers share a read without showing anybody the past. A read starts when a turn of the event loop ends, for all who
 * have asked in it: they mostly come together, their sessions having been looked up by one command. Who asks while the
 * same read is under way joins the next one, which starts in the turn in which this one ends: so each caller sees all that
 * had happened when it asked, and the store is asked by one caller at a time however many stand at the door.
 */
export function shareReads<T>(read: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const underWay = new Map<string, Promise<T>>();
  const next = new Map<string, Promise<T>>();

  function start(key: string): Promise<T> {
    next.delete(key);
    const reading = read(key).finally(() => underWay.delete(key));
    underWay.set(key, reading);
    return reading;
  }

  async function startNext(key: string): Promise<T> {
    // Whether it fails concerns those who wait for it.
    await underWay.get(key)?.catch(() => {});
    await turnEnds();
    return start(key);
  }

  return (key) => {
    const reading = next.get(key) ?? startNext(key);
    next.set(key, reading);
    return reading;
  };
}
