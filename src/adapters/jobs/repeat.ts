/** Work that is done again and again until it is stopped. */
export type Job = { stop(): Promise<void> };

/**
 * Does the work, waits `everyMs`, and does it again: never two runs at once in a process, however long one takes.
 * Any number of processes may do the same. A failed run is reported and the next one comes as usual.
 */
export function repeat(work: () => Promise<unknown>, everyMs: number, onError: (error: unknown) => void): Job {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();

  function next() {
    timer = setTimeout(() => {
      running = run();
    }, everyMs);
  }

  async function run() {
    await work().catch(onError);
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
