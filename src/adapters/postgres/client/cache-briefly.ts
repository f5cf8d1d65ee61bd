type Entry<T> = {
  /** The last value read, and when its read began. */
  settled?: { readonly value: T; readonly at: number };
  /** The read under way, and since when. */
  reading?: { readonly value: Promise<T>; readonly since: number };
};

export type CacheLimits = {
  /** How old an answer may be. */
  readonly ttlMs: number;
  /** How long to wait for a newer answer when there is an older one. */
  readonly patienceMs: number;
  readonly entriesMax: number;
};

export type Cached<T> = {
  (key: string): Promise<T>;
  /** What a call would answer from memory right now. */
  recall(key: string): T | undefined;
  /** The next call reads anew. */
  forget(key: string): void;
};

/**
 * Answers from memory for `ttlMs`, so that what hardly ever changes costs the store one read per instance and period.
 * Callers who come during a read share it. When a read fails or takes too long, the last value stands in for it. That
 * something is absent is not remembered: whoever makes names up would fill the memory with them.
 */
export function cacheBriefly<T>(read: (key: string) => Promise<T>, limits: CacheLimits): Cached<T> {
  const { ttlMs, patienceMs, entriesMax } = limits;
  const entries = new Map<string, Entry<T>>();

  function startReading(key: string, entry: Entry<T>): Promise<T> {
    const since = performance.now();
    const value = read(key);
    entry.reading = { value, since };
    entries.delete(key);
    entries.set(key, entry);
    const oldest = entries.size > entriesMax ? entries.keys().next().value : undefined;
    if (oldest !== undefined) entries.delete(oldest);
    value.then(
      (settled) => {
        delete entry.reading;
        if (settled === undefined) entries.delete(key);
        else entry.settled = { value: settled, at: since };
      },
      () => {
        delete entry.reading;
        if (entry.settled === undefined) entries.delete(key);
      },
    );
    return value;
  }

  function recall(key: string): T | undefined {
    const settled = entries.get(key)?.settled;
    return settled !== undefined && performance.now() - settled.at < ttlMs ? settled.value : undefined;
  }

  async function cached(key: string): Promise<T> {
    const known = recall(key);
    if (known !== undefined) return known;
    const entry = entries.get(key) ?? {};
    const { settled } = entry;
    const reading = entry.reading?.value ?? startReading(key, entry);
    if (settled === undefined) return reading;

    const patience = patienceMs - (performance.now() - (entry.reading?.since ?? performance.now()));
    if (patience <= 0) return settled.value;
    const { promise: given, resolve: giveUp } = Promise.withResolvers<T>();
    const timer = setTimeout(giveUp, patience, settled.value);
    return Promise.race([reading.catch(() => settled.value), given]).finally(() => clearTimeout(timer));
  }
  return Object.assign(cached, { recall, forget: (key: string) => void entries.delete(key) });
}
