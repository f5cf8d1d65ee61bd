type Log = { warn(facts: object, message: string): void };

export type LockLosses = {
  /** A command went on without a lock, for this reason. */
  count(reason: Error): void;
  /** Tells of what was counted since the last summary. To be called at the end. */
  stop(): void;
};

const SUMMARY_MS = 10_000;

/**
 * Counts the commands that went on without a lock: Postgres decides without it as well, so no single one of them is worth a line,
 * and a Redis that is lost amid a sale would make thousands. Every ten seconds one line tells how many there were, how many since
 * the start, and the reason of the last.
 */
export function lockLosses(log: Log): LockLosses {
  let count = 0;
  let sinceStart = 0;
  let err: Error | undefined;

  function summarize(): void {
    if (count === 0) return;
    sinceStart += count;
    log.warn({ count, sinceStart, err }, 'commands went on without a lock');
    count = 0;
  }
  const timer = setInterval(summarize, SUMMARY_MS).unref();

  return {
    count(reason) {
      count++;
      err = reason;
    },
    stop() {
      clearInterval(timer);
      summarize();
    },
  };
}
