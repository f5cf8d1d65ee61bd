/**
 * Lets callers share a read without showing anybody the past. Who asks while the same read is under way joins the next
 * one, which starts when this one ends: so each caller sees all that had happened when it asked, and the store is asked
 * by one caller at a time however many stand at the door.
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

  return (key) => {
    // Looked at first: for a moment one read has ended, and the next, which others wait for, has not begun.
    const waitedFor = next.get(key);
    if (waitedFor !== undefined) return waitedFor;
    const current = underWay.get(key);
    if (current === undefined) return start(key);
    const again = () => start(key);
    const joined = current.then(again, again);
    next.set(key, joined);
    return joined;
  };
}
