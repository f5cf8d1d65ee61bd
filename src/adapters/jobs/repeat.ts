/** Work that is repeated until it is stopped. */
export type Job = { stop(): Promise<void> };

/** Limits the pause after failures, so that an instance idles while its stores are unavailable. */
const BACKOFF_MS_MAX = 8_000;
/** Lengthens the pause by this share of the outage, so that recovery is noticed within a tenth of it. */
const BACKOFF_PER_MS_FAILING = 0.1;

type Outcome = {
  /** Called at the first of several failures in a row. */
  onFailure(error: unknown): void;
  /** Called at the first success after a failure. */
  onRecovery(): void;
};

/**
 * Runs the work, waits `everyMs`, and repeats. A process never runs it twice at once; any number of processes may. After
 * a failure the pause grows with the time that the work has been failing.
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

  /** Spread by up to a half, so that jobs and instances do not all retry at once. */
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
