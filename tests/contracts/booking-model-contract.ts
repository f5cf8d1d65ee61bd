import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contradictions } from '#tests/support/books.ts';
import { answersAsModelled, answersInSomeOrder, KNOWN_HISTORIES, missed, SERIES } from './booking-contract.ts';
import type { PostgresHarness } from './postgres-harness.ts';

/** Ends a hang: a hundred histories take half a minute on a machine that does nothing else, and many minutes on a slow one. */
const timeout = 1_800_000;
const KNOWN = [...KNOWN_HISTORIES, ...SERIES];

/** The box office and the wallets in Postgres against a model of them, on so many random histories besides the known ones. */
export function bookingModelContract(harness: PostgresHarness, histories: number, seed: number): void {
  const { pool } = harness.postgres;

  test('answers as the model does, on random histories', { timeout }, async () => {
    const all: string[] = [];
    const property = answersAsModelled(harness, async ({ live, model, seen }) => {
      expect(live).toEqual(model);
      expect(await contradictions(pool)).toEqual([]);
      all.push(...seen);
    });
    const numRuns = KNOWN.length + histories;
    await fc.assert(property, { seed, numRuns, examples: KNOWN });
    // Ten a history, where thirty are to be expected.
    expect(all.length).toBeGreaterThan(10 * numRuns);
    expect(missed(new Set(all))).toEqual([]);
  });

  test('answers two concurrent commands as the model does in some order', { timeout }, async () => {
    const property = answersInSomeOrder(harness, async () => expect(await contradictions(pool)).toEqual([]));
    await fc.assert(property, { seed, numRuns: 2 * histories });
  });
}
