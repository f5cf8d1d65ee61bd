import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cacheBriefly } from '#adapters/postgres/cache-briefly.ts';

const TTL_MS = 1_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});
const passes = (milliseconds: number) => vi.advanceTimersByTime(milliseconds);

/** A cache of a store that changes with every read, and that may be away. */
function cached(entriesMax = 10) {
  const reads: string[] = [];
  const store = { away: false };
  const read = cacheBriefly(
    async (key) => {
      reads.push(key);
      const version = reads.length;
      await Promise.resolve();
      if (store.away) throw new Error('the store is away');
      return `${key}${version}`;
    },
    { ttlMs: TTL_MS, entriesMax },
  );
  return { read, reads, store };
}

describe('what is cached briefly', () => {
  it('is read once, then answered from memory', async () => {
    const { read, reads } = cached();
    expect([await read('a'), await read('a')]).toEqual(['a1', 'a1']);
    passes(TTL_MS - 1);
    expect(await read('a')).toBe('a1');
    expect(reads).toEqual(['a']);
  });

  it('is never older than its time', async () => {
    const { read } = cached();
    await read('a');
    passes(TTL_MS);
    expect(await read('a')).toBe('a2');
  });

  it('is as old as the beginning of its read, not the end', async () => {
    const { read } = cached();
    const slow = read('a');
    passes(TTL_MS);
    await slow;
    expect(await read('a')).toBe('a2');
  });

  it('is read once for all who come during the read', async () => {
    const { read, reads } = cached();
    const crowd = await Promise.all(Array.from({ length: 100 }, () => read('a')));
    expect(new Set(crowd)).toEqual(new Set(['a1']));
    expect(reads).toEqual(['a']);
  });

  it('is kept apart by key', async () => {
    const { read } = cached();
    expect([await read('a'), await read('b'), await read('a')]).toEqual(['a1', 'b2', 'a1']);
  });

  it('stands in for a read that fails, and is read anew once the store is back', async () => {
    const { read, store } = cached();
    await read('a');
    passes(TTL_MS);
    store.away = true;
    expect(await read('a')).toBe('a1');
    store.away = false;
    passes(TTL_MS);
    expect(await read('a')).toBe('a3');
  });

  it('is nothing when the first read fails: the failure is told, and not kept', async () => {
    const { read, store } = cached();
    store.away = true;
    await expect(read('a')).rejects.toThrow('the store is away');
    store.away = false;
    expect(await read('a')).toBe('a2');
  });

  it('is bounded: the entry read longest ago gives way', async () => {
    const { read, reads } = cached(2);
    await read('a');
    await read('b');
    passes(TTL_MS);
    await read('a');
    await read('c');
    reads.length = 0;
    await read('a');
    await read('c');
    expect(reads).toEqual([]);
    await read('b');
    expect(reads).toEqual(['b']);
  });
});
