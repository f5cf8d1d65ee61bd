/**
 * Runs work of the same key one after the other, in the order of the calls. Errors propagate to the caller.
 *
 * @param waitingMax beyond this many waiting calls of a key, another is refused
 * @param refused the error of such a call
 */
export function oneAtATime(
  waitingMax: number,
  refused: () => Error,
): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const queues = new Map<string, { count: number; last: Promise<unknown> }>();

  return async (key, work) => {
    const queue = queues.get(key) ?? { count: 0, last: Promise.resolve() };
    if (queue.count > waitingMax) throw refused();
    queues.set(key, queue);
    queue.count += 1;
    const done = queue.last.then(work, work);
    queue.last = done;
    try {
      return await done;
    } finally {
      queue.count -= 1;
      if (queue.count === 0) queues.delete(key);
    }
  };
}
