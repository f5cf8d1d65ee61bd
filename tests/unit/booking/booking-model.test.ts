import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answersAsModelled, KNOWN_HISTORIES, missed, outcomesOf, SERIES } from '#tests/contracts/booking-contract.ts';
import type { Staged } from '#tests/contracts/stage-concert.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';

/** A second or two where nothing else is going on. */
const TIME_LIMIT_MS = 60_000;

test('the box office in memory answers as the model does, on random histories', {
  timeout: TIME_LIMIT_MS,
}, async () => {
  const { ports, clock, stage } = memoryWorld();
  const harness = {
    ...ports,
    stage: async (staged?: Staged) => stage(staged),
    passes: async (milliseconds: number) => clock.advance(milliseconds),
  };
  const all = new Set<string>();
  await fc.assert(
    answersAsModelled(harness, ({ live, model, seen }) => {
      expect(live).toEqual(model);
      for (const one of seen) all.add(one);
    }),
    { numRuns: 1_000, examples: KNOWN_HISTORIES },
  );
  expect(missed(all)).toEqual([]);
});

test('the series with a fixed seed covers every interesting case', () => {
  expect(missed(new Set(SERIES.flatMap(([history]) => outcomesOf(history))))).toEqual([]);
});
