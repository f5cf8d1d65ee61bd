import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answersAsModelled } from '#tests/contracts/booking-contract.ts';
import type { BookingEvent } from '#tests/contracts/booking-model.ts';
import { bookingModelContract } from '#tests/contracts/booking-model-contract.ts';
import { postgresHarness } from '#tests/contracts/postgres-harness.ts';
import { type Change, changeFunction } from '#tests/support/replaced.ts';

const harness = await postgresHarness();
const { pool } = harness.postgres;
/** Ends with the first that shows the plant. */
const HISTORIES_WITH_A_PLANT = 1_000;
const EVENTS_WITH_A_PLANT_MAX = 12;
/** Made up once and for all: that a plant is found is what counts, and how soon is chance otherwise, from one second to forty. */
const SEED = 5;
/** Two or three events show each; shrinking goes downhill only, and may stop at some more. */
const SHORT = 8;

bookingModelContract(harness, 75, 2);

type Plant = readonly [
  what: string,
  inFunction: string,
  change: Change,
  /** Without these it does not show. */
  among: readonly BookingEvent['kind'][],
];

const plants: readonly Plant[] = [
  [
    'an expired hold still blocks its seat',
    'hold_seats',
    [/ OR \(s\.status = 'HELD' AND s\.held_until <= v_now\)\)/, ')'],
    ['hold', 'pass'],
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
    'a key returns its first answer for any request',
    'recall_answer',
    [/v_known\.fingerprint <> p_fingerprint/, 'false'],
    [],
  ],
  [
    'a refund does not free its seats',
    'cancel_reservation',
    [/UPDATE seats SET status = 'AVAILABLE'[^;]+;/, ''],
    ['hold', 'cancel'],
  ],
];

test.each(plants)('finds that %s, and shortens the history', async (_, name, change, among) => {
  const mend = await changeFunction(pool, name, [change]);
  try {
    const property = answersAsModelled(harness, ({ live, model }) => assert.deepEqual(live, model), {
      eventsMax: EVENTS_WITH_A_PLANT_MAX,
    });
    const { failed, counterexample } = await fc.check(property, { numRuns: HISTORIES_WITH_A_PLANT, seed: SEED });
    expect(failed).toBe(true);
    const found = counterexample?.[0].map(({ kind }) => kind) ?? [];
    expect(found.length).toBeLessThanOrEqual(SHORT);
    expect(found).toEqual(expect.arrayContaining([...among]));
  } finally {
    await mend();
  }
});
