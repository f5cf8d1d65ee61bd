type Log = { warn(facts: object, message: string): void };

export type LockLosses = {
  /** Counts a command that ran without a lock, for this reason. */
  count(reason: Error): void;
  /** Logs the rest. To be called at the end. */
  stop(): void;
};

const SUMMARY_MS = 10_000;

/**
 * Counts the commands that ran without a lock. A single one is harmless, as Postgres decides, and an outage during a
 * sale would log thousands. Every ten seconds one log line tells the count, the total and the last reason.
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
