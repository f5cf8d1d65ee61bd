import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lruCache } from '#adapters/memory/lru-cache.ts';

const MAX = 10;

describe('a bounded cache', () => {
  it('returns the value of a key, and nothing for another', () => {
    const cache = lruCache<number>(MAX);
    cache.set('a', 1);
    expect([cache.get('a'), cache.get('b')]).toEqual([1, undefined]);
    cache.set('a', 2);
    expect(cache.get('a')).toBe(2);
  });

  it('keeps the half used last, and never more than its limit', () => {
    const step = fc.record({ key: fc.nat(3 * MAX).map(String), read: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const cache = lruCache<string>(MAX);
        const lastUsed: string[] = [];
        for (const { key, read } of steps) {
          if (read && cache.get(key) === undefined) continue;
          if (!read) cache.set(key, key);
          if (lastUsed.includes(key)) lastUsed.splice(lastUsed.indexOf(key), 1);
          lastUsed.push(key);
        }
        // Asking for them in the order in which they were used last does not move any of them out.
        const last = lastUsed.slice(-MAX / 2);
        expect(last.map(cache.get)).toEqual(last);
        const known = Array.from({ length: 3 * MAX + 1 }, (_, key) => String(key)).filter(
          (key) => cache.get(key) !== undefined,
        );
        expect(known.length).toBeLessThanOrEqual(MAX);
      }),
    );
  });

  it('evicts an entry that is not read, and keeps one that is', () => {
    const cache = lruCache<number>(MAX);
    cache.set('read', 1);
    cache.set('not read', 2);
    for (let index = 0; index < 3 * MAX; index++) {
      cache.set(`other ${index}`, index);
      expect(cache.get('read')).toBe(1);
    }
    expect(cache.get('not read')).toBeUndefined();
  });
});
