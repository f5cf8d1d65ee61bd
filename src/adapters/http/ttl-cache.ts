export type TtlCache<Value> = (key: string, load: () => Promise<Value>) => Promise<Value>;

type Entry<Value> = { readonly value: Promise<Value>; validUntilMs: number };

type Limits<Value> = {
  readonly ttlMs: number;
  readonly entriesMax: number;
  /** Shortens the time to live of a value. */
  readonly ttlMsOf?: (value: Value) => number;
};

/** A cache with a time to live. Callers of the same key share one load. A failed load is not kept. */
export function ttlCache<Value>(
  { ttlMs, entriesMax, ttlMsOf = () => ttlMs }: Limits<Value>,
  now = () => performance.now(),
): TtlCache<Value> {
  const entries = new Map<string, Entry<Value>>();

  function fill(key: string, load: () => Promise<Value>): Promise<Value> {
    const startedMs = now();
    const entry: Entry<Value> = { value: load(), validUntilMs: startedMs + ttlMs };
    entries.delete(key);
    entries.set(key, entry);
    entry.value.then(
      (value) => {
        entry.validUntilMs = startedMs + Math.min(ttlMs, ttlMsOf(value));
      },
      () => {
        entry.validUntilMs = startedMs;
      },
    );
    const [oldest] = entries.size > entriesMax ? entries.keys() : [];
    if (oldest !== undefined) entries.delete(oldest);
    return entry.value;
  }

  return (key, load) => {
    const entry = entries.get(key);
    return entry !== undefined && now() < entry.validUntilMs ? entry.value : fill(key, load);
  };
}
