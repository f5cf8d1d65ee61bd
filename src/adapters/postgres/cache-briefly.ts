type Entry<T> = { readonly value: Promise<T>; readonly readAt: number };

/**
 * Answers from memory for `ttlMs`, so that what hardly ever changes costs the store one read per instance and period.
 * Callers who come during a read share it. When a read fails, the last value that was read stands in for it.
 */
export function cacheBriefly<T>(
  read: (key: string) => Promise<T>,
  limits: { readonly ttlMs: number; readonly entriesMax: number },
): (key: string) => Promise<T> {
  const entries = new Map<string, Entry<T>>();

  function refresh(key: string, stale: Entry<T> | undefined): Promise<T> {
    const value = stale === undefined ? read(key) : read(key).catch(() => stale.value);
    entries.delete(key);
    entries.set(key, { value, readAt: performance.now() });
    value.catch(() => entries.delete(key));
    if (entries.size > limits.entriesMax) {
      const oldest = entries.keys().next().value;
      if (oldest !== undefined) entries.delete(oldest);
    }
    return value;
  }

  return (key) => {
    const entry = entries.get(key);
    const fresh = entry !== undefined && performance.now() - entry.readAt < limits.ttlMs;
    return fresh ? entry.value : refresh(key, entry);
  };
}
