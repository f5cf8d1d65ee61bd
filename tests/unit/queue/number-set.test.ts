import fc from 'fast-check';
import { expect, test } from 'vitest';
import { numberSet } from '#adapters/redis/queue/number-set.ts';

const NUMBER_MAX = 20_000;
const number = fc.integer({ min: 1, max: NUMBER_MAX });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ add: number }) },
  { weight: 1, arbitrary: fc.record({ from: number, to: number }) },
);

test('answers as an ordinary set does, at any time while it grows', () => {
  const property = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const [numbers, ordinary] = [numberSet(), new Set<number>()];
    for (const one of steps) {
      if ('add' in one) {
        numbers.add(one.add);
        ordinary.add(one.add);
      } else {
        const between = [...ordinary].filter((each) => each >= one.from && each < one.to);
        expect(numbers.countBetween(one.from, one.to)).toBe(between.length);
      }
    }
    expect([...numbers]).toEqual([...ordinary].toSorted((a, b) => a - b));
    expect(numbers.has(NUMBER_MAX + 1)).toBe(false);
  });
  fc.assert(property);
});

test('counts up to numbers beyond its present size', () => {
  const numbers = numberSet();
  numbers.add(7);
  expect(numbers.countBetween(1, 10_000_000)).toBe(1);
  expect(numbers.has(10_000_000)).toBe(false);
});
