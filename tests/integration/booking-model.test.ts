import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answersAsModelled, answersInSomeOrder } from '#tests/contracts/booking-contract.ts';
import type { BookingEvent } from '#tests/contracts/booking-model.ts';
import { postgresHarness } from '#tests/contracts/postgres-harness.ts';
import { contradictions } from '#tests/support/books.ts';
import { type Change, changeFunction } from '#tests/support/replaced.ts';

// The box office and the wallets in Postgres against a model of them, on random histories; what is asked at once included.

const harness = await postgresHarness();
const { pool } = harness.postgres;
const TIME_LIMIT_MS = 10_000;

test('answers as the model, whatever is asked in whatever order', async () => {
  let [compared, answers] = [0, 0];
  const property = answersAsModelled(
    harness,
    async ({ live, model, seen }) => {
      expect(live).toEqual(model);
      expect(await contradictions(pool)).toEqual([]);
      compared += 1;
      answers += seen.length;
    },
    { limitMs: TIME_LIMIT_MS },
  );
  await fc.assert(property, { numRuns: 150 });
  expect(compared).toBeGreaterThan(10);
  expect(answers).toBeGreaterThan(200);
});

test('answers two who ask at once as the model does in some order of what they ask', async () => {
  let compared = 0;
  const check = async () => {
    expect(await contradictions(pool)).toEqual([]);
    compared += 1;
  };
  await fc.assert(answersInSomeOrder(harness, check, TIME_LIMIT_MS), { numRuns: 100 });
  expect(compared).toBeGreaterThan(10);
});

type Plant = readonly [what: string, inFunction: string, change: Change, shortest: readonly BookingEvent['kind'][]];

const plants: readonly Plant[] = [
  [
    'a hold that has run out goes on blocking its seat',
    'hold_seats',
    [/ OR \(s\.status = 'HELD' AND s\.held_until <= v_now\)\)/, ')'],
    ['hold', 'pass', 'hold'],
  ],
  [
    'a hold can be extended beyond its ceiling',
    'extend_hold',
    [
      /least\(v_ceiling, v_now \+ make_interval\(secs => p_hold_seconds\)\)/,
      'v_now + make_interval(secs => p_hold_seconds)',
    ],
    ['hold', 'pass', 'extend'],
  ],
  [
    'a key is taken for what it stood for first, whatever is asked',
    'recall_answer',
    [/v_known\.fingerprint <> p_fingerprint/, 'false'],
    ['charge', 'charge'],
  ],
  [
    'a refund does not free its seats',
    'cancel_reservation',
    [/UPDATE seats SET status = 'AVAILABLE'[^;]+;/, ''],
    ['hold', 'cancel'],
  ],
];

test.each(plants)(
  'finds out that %s, and makes the history as short as it can be',
  async (_, name, change, shortest) => {
    const mend = await changeFunction(pool, name, [change]);
    try {
      const property = answersAsModelled(harness, ({ live, model }) => assert.deepEqual(live, model), {
        ...{ limitMs: TIME_LIMIT_MS, eventsMax: 25 },
      });
      const { failed, counterexample } = await fc.check(property, { numRuns: 400 });
      expect(failed).toBe(true);
      const found = counterexample?.[0].map(({ kind }) => kind) ?? [];
      // Shrinking goes downhill only, and not for ever: it may stop at a history that is a little longer.
      expect(found.length).toBeLessThanOrEqual(shortest.length + 3);
      expect(found).toEqual(expect.arrayContaining([...new Set(shortest)]));
    } finally {
      await mend();
    }
  },
);
