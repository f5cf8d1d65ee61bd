type Entry<T> = {
  /** The last value, and until when it is valid. */
  settled?: { readonly value: T; readonly validUntilMs: number };
  /** The load under way, and since when. */
  loading?: { readonly value: Promise<T>; readonly sinceMs: number };
};

export type TtlCacheLimits<T> = {
  /** How old an answer may be. */
  readonly ttlMs: number;
  /** Beyond this size, the entry loaded longest ago is evicted. */
  readonly entriesMax: number;
  /** How long to wait for a load while there is an older value; without it, a value past its time is never returned. */
  readonly patienceMs?: number;
  /**
   * Shortens the time to live of a value. By default an absence is not kept: requests for names that do not exist would
   * evict the entries that do.
   */
  readonly ttlMsOf?: (value: T) => number;
};

export type TtlCache<T> = {
  (key: string): Promise<T>;
  /** The value that a call would return from memory. */
  recall(key: string): T | undefined;
  /** The next call loads the value. */
  forget(key: string): void;
};

/**
 * A cache with a time to live, counted from the start of a load. Callers of one key share a load. With `patienceMs`, the last
 * value stands in for a load that takes too long, and for another time to live after a load that failed.
 */
export function ttlCache<T>(
  load: (key: string) => Promise<T>,
  { ttlMs, entriesMax, patienceMs, ttlMsOf = (value) => (value === undefined ? 0 : ttlMs) }: TtlCacheLimits<T>,
  now = () => performance.now(),
): TtlCache<T> {
  const entries = new Map<string, Entry<T>>();

  function startLoad(key: string, entry: Entry<T>): Promise<T> {
    const sinceMs = now();
    const value = load(key);
    entry.loading = { value, sinceMs };
    entries.delete(key);
    entries.set(key, entry);
    const [oldest] = entries.size > entriesMax ? entries.keys() : [];
    if (oldest !== undefined) entries.delete(oldest);
    value.then(
      (loaded) => {
        delete entry.loading;
        const keptMs = Math.min(ttlMs, ttlMsOf(loaded));
        if (keptMs <= 0) entries.delete(key);
        else entry.settled = { value: loaded, validUntilMs: sinceMs + keptMs };
      },
      () => {
        delete entry.loading;
        if (entry.settled === undefined) entries.delete(key);
        // Otherwise each call would ask a store that is unavailable, and the jobs call ten times a second.
        else if (patienceMs !== undefined) entry.settled = { ...entry.settled, validUntilMs: now() + ttlMs };
      },
    );
    return value;
  }

  function valid(key: string): { readonly value: T } | undefined {
    const settled = entries.get(key)?.settled;
    return settled !== undefined && now() < settled.validUntilMs ? settled : undefined;
  }

  async function cached(key: string): Promise<T> {
    const known = valid(key);
    if (known !== undefined) return known.value;
    const entry = entries.get(key) ?? {};
    const { settled } = entry;
    const loading = entry.loading?.value ?? startLoad(key, entry);
    if (settled === undefined || patienceMs === undefined) return loading;
    const leftMs = patienceMs - (now() - (entry.loading?.sinceMs ?? now()));
    return leftMs <= 0 ? settled.value : valueWithin(leftMs, loading, settled.value);
  }

  return Object.assign(cached, {
    recall: (key: string) => valid(key)?.value,
    forget: (key: string) => void entries.delete(key),
  });
}

function valueWithin<T>(patienceMs: number, loading: Promise<T>, stale: T): Promise<T> {
  const { promise: given, resolve: giveUp } = Promise.withResolvers<T>();
  const timer = setTimeout(giveUp, patienceMs, stale);
  return Promise.race([loading.catch(() => stale), given]).finally(() => clearTimeout(timer));
}
