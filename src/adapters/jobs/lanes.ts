/** Runs work per key, each key in a lane of its own, so that a slow one delays no other. */
export type Lanes<Key> = {
  /**
   * Starts a lane for each of these keys, while lanes are left.
   *
   * @throws the first failure in a lane since the last call
   */
  open(keys: readonly Key[]): void;
  /** Starts nothing more, and waits for running work. */
  stop(): Promise<void>;
};

/** @param work returns how much it did, and is repeated until that is 0 */
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
