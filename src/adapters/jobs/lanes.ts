/** Work for several at once that none of them can hold up for the others: each has a lane of its own. */
export type Lanes<Key> = {
  /**
   * Sees to it that each of these has a lane, as far as there are any left.
   *
   * @throws what has failed in a lane since the last time
   */
  open(keys: readonly Key[]): void;
  /** Begins nothing more, and waits for what is under way. */
  stop(): Promise<void>;
};

/** @param work is done again as long as it finds something to do: it answers how much */
export function lanes<Key>(work: (key: Key) => Promise<number>, lanesMax: number): Lanes<Key> {
  const open = new Map<Key, Promise<void>>();
  let failures: unknown[] = [];
  let stopped = false;

  async function run(key: Key): Promise<void> {
    try {
      while (!stopped && (await work(key)) > 0);
    } catch (error) {
      failures.push(error);
    } finally {
      open.delete(key);
    }
  }

  return {
    open(keys) {
      for (const key of keys) {
        if (!open.has(key) && open.size < lanesMax && !stopped) open.set(key, run(key));
      }
      const [failure] = failures;
      failures = [];
      if (failure !== undefined) throw failure;
    },
    async stop() {
      stopped = true;
      await Promise.all(open.values());
    },
  };
}
