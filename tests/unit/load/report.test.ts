import { describe, expect, it } from 'vitest';
import { compare, type Side } from '#tests/load/compare.ts';
import type { LoadResult } from '#tests/load/generator.ts';
import type { Generator, ServerProcess } from '#tests/load/processes.ts';
import { bookingsRow, rateRow } from '#tests/load/report.ts';

const SECONDS = 2;

/** A server that takes so much processor time for each load that it is put under. */
function server(cpuSeconds = 0): ServerProcess {
  let looks = 0;
  const nothing = async () => {};
  return {
    url: 'http://127.0.0.1:1',
    cpuSeconds: () => Math.ceil(looks++ / 2) * cpuSeconds,
    stop: nothing,
    kill: nothing,
  };
}

/** Two rounds of a load that is answered so, on both sides. */
async function measured(
  statuses: LoadResult['statuses'],
  { expected = 201, unanswered = 0, cpuSeconds = { ours: 0, floor: 0 } } = {},
) {
  const result: LoadResult = { statuses, unanswered, seconds: SECONDS, p99Ms: 1, p99OfAllMs: 1 };
  const generator: Generator = { ask: async () => result, stop: async () => {} };
  const side = (cpu: number): Side => ({ server: server(cpu), requests: () => [], seconds: SECONDS, expected });
  return compare(generator, { ours: side(cpuSeconds.ours), floor: side(cpuSeconds.floor) }, 2);
}

describe('a conflict', () => {
  it('is told apart from other answers and from none, and counts for no rate', async () => {
    const { ours, floor } = await measured({ 201: 800, 409: 30, 500: 4 }, { unanswered: 1 });
    expect(ours).toMatchObject([1, 2].map(() => ({ perSecond: 400, conflicts: 30, others: 4, unanswered: 1 })));
    const row = rateRow('a rate', ours, floor, 0.5);
    expect(row.failures).toBe('120 / 16 / 4');
    expect(row.reached).toBe(false);
  });

  it('is the answer that counts where refusals are what is measured, and no failure then', async () => {
    const { ours, floor } = await measured({ 409: 1_000 }, { expected: 409 });
    expect(ours).toMatchObject([1, 2].map(() => ({ perSecond: 500, conflicts: 0, others: 0 })));
    expect(rateRow('the hot seat', ours, floor, 0.5)).toMatchObject({ failures: '0 / 0 / 0', reached: true });
  });

  it('of a booking is told apart from what else went wrong with it', () => {
    const unexpected = { 'POST reservations 409 seat-taken': 3, 'POST payments 503 busy': 2 };
    const row = bookingsRow('bookings', [{ bookings: 9, perSecond: 3, bookingMs: [10], unexpected }]);
    expect(row).toMatchObject({ failures: '3 / 2 / 0', reached: false });
  });
});

describe('a rate', () => {
  it('that is the generator’s, equal on both sides, has the processor time beside it, which is not', async () => {
    const { ours, floor } = await measured({ 201: 1_000 }, { cpuSeconds: { ours: 0.3, floor: 0.1 } });
    const row = rateRow('a rate', ours, floor, 0.5);
    expect(row.ratio).toMatch(/^1\.00 /);
    expect(row.cpu).toBe('300 µs; floor 100 µs');
  });
});
