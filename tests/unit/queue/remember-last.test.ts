import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rememberLast } from '#adapters/http/queue/remember-last.ts';

const MAX = 10;

describe('a bounded memory', () => {
  it('knows what was remembered under a key, and nothing under another', () => {
    const memory = rememberLast<number>(MAX);
    memory.remember('a', 1);
    expect([memory.recall('a'), memory.recall('b')]).toEqual([1, undefined]);
    memory.remember('a', 2);
    expect(memory.recall('a')).toBe(2);
  });

  it('keeps the last half at least and the whole at most, whatever is remembered and recalled', () => {
    const step = fc.record({ key: fc.nat(3 * MAX).map(String), recall: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const memory = rememberLast<string>(MAX);
        const lastUsed: string[] = [];
        for (const { key, recall } of steps) {
          if (recall && memory.recall(key) === undefined) continue;
          if (!recall) memory.remember(key, key);
          if (lastUsed.includes(key)) lastUsed.splice(lastUsed.indexOf(key), 1);
          lastUsed.push(key);
        }
        // Asking for them in the order in which they were used last does not move any of them out.
        const last = lastUsed.slice(-MAX / 2);
        expect(last.map(memory.recall)).toEqual(last);
        const known = Array.from({ length: 3 * MAX + 1 }, (_, key) => String(key)).filter(
          (key) => memory.recall(key) !== undefined,
        );
        expect(known.length).toBeLessThanOrEqual(MAX);
      }),
    );
  });

  it('forgets what nobody asks for, and keeps what is asked for', () => {
    const memory = rememberLast<number>(MAX);
    memory.remember('asked for', 1);
    memory.remember('not asked for', 2);
    for (let index = 0; index < 3 * MAX; index++) {
      memory.remember(`other ${index}`, index);
      expect(memory.recall('asked for')).toBe(1);
    }
    expect(memory.recall('not asked for')).toBeUndefined();
  });
});
