/** Work that is done again and again until it is stopped. */
export type Job = { stop(): Promise<void> };

/**
 * Does the work, waits `everyMs`, and does it again: never two runs at once in a process, however long one takes.
 * Any number of processes may do the same. A failed run is followed by the next one as usual; of several failures in a
 * row the first is reported.
 */
export function repeat(work: () => Promise<unknown>, everyMs: number, onError: (error: unknown) => void): Job {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let failing = false;

  function next() {
    timer = setTimeout(() => {
      running = run();
    }, everyMs);
  }

  async function run() {
    try {
      await work();
      failing = false;
    } catch (error) {
      if (!failing) onError(error);
      failing = true;
    }
    if (!stopped) next();
  }

  next();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
