import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ttlCache } from '#adapters/http/ttl-cache.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function counted(fails = false, ttlMsOf = (_: string) => 250) {
  let loads = 0;
  const cache = ttlCache<string>({ ttlMs: 250, entriesMax: 2, ttlMsOf });
  const get = (key: string) =>
    cache(key, async () => {
      loads += 1;
      if (fails && loads === 1) throw new Error('not now');
      return `${key} ${loads}`;
    });
  return { get, loads: () => loads };
}

describe('a cache with a time to live', () => {
  it('loads once for all callers within the time, and again afterwards', async () => {
    const { get } = counted();
    expect(await Promise.all([get('a'), get('a')])).toEqual(['a 1', 'a 1']);
    vi.advanceTimersByTime(249);
    expect(await get('a')).toBe('a 1');
    vi.advanceTimersByTime(1);
    expect(await get('a')).toBe('a 2');
  });

  it('keeps a value for less time where the value says so, never for more', async () => {
    const { get } = counted(false, (value) => (value === 'a 1' ? 100 : 1_000));
    await get('a');
    vi.advanceTimersByTime(100);
    expect(await get('a')).toBe('a 2');
    vi.advanceTimersByTime(250);
    expect(await get('a')).toBe('a 3');
  });

  it('does not keep a failure', async () => {
    const { get } = counted(true);
    await expect(get('a')).rejects.toThrow('not now');
    expect(await get('a')).toBe('a 2');
  });

  it('keeps its keys apart, and evicts the oldest entry beyond its limit', async () => {
    const { get, loads } = counted();
    expect([await get('a'), await get('b')]).toEqual(['a 1', 'b 2']);
    await get('c');
    expect(await get('b')).toBe('b 2');
    expect(await get('a')).toBe('a 4');
    expect(loads()).toBe(4);
  });
});
