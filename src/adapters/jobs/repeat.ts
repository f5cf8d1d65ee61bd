/** Work that is repeated until it is stopped. */
export type Job = { stop(): Promise<void> };

/** The longest pause after failures, so that an instance whose stores are away idles. */
const BACKOFF_MS_MAX = 6_000;
/** A job that has failed for ten seconds waits one more: an outage lasts a tenth longer for it at most. */
const BACKOFF_PER_MS_FAILING = 0.1;

type Outcome = {
  /** Called at the first of several failures in a row. */
  onFailure(error: unknown): void;
  /** Called at the first success after a failure. */
  onRecovery(): void;
};

/**
 * Does the work, waits `everyMs`, and does it again: never two runs at once in a process, however long one takes. Any number
 * of processes may do the same. A failed run is followed by the next one, later the longer the work has been failing.
 */
export function repeat(work: () => Promise<unknown>, everyMs: number, { onFailure, onRecovery }: Outcome): Job {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let failingSinceMs: number | undefined;

  function next() {
    timer = setTimeout(() => {
      running = run();
    }, everyMs + backoffMs());
  }

  /** Spread by up to a half, so that jobs and instances do not ask a store that is back all at once. */
  function backoffMs(): number {
    if (failingSinceMs === undefined) return 0;
    const longest = Math.min(BACKOFF_MS_MAX, (performance.now() - failingSinceMs) * BACKOFF_PER_MS_FAILING);
    return longest * (1 - Math.random() / 2);
  }

  async function run() {
    try {
      await work();
      if (failingSinceMs !== undefined) onRecovery();
      failingSinceMs = undefined;
    } catch (error) {
      if (failingSinceMs === undefined) onFailure(error);
      failingSinceMs ??= performance.now();
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
