import { describe, expect, test } from 'vitest';
import type { ConcertId } from '#domain/ids.ts';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { contradictions } from '#tests/support/books.ts';
import { tally } from '#tests/support/client/client.ts';
import { sellsOutInPairs } from '#tests/support/races.ts';
import { letIn, sharedWorld } from '#tests/support/world.ts';

// Instances over HTTP. `tests/heavy/races-best-seats.test.ts` has a larger crowd. Rows are ten seats wide.

const ROW_SEATS = 10;
const world = await sharedWorld();

/** The numbers of free seats side by side, row by row. */
async function runsLeft(concert: ConcertId): Promise<number[]> {
  const { rows } = await world.pool.query<{ seats: string }>(
    `SELECT string_agg(CASE WHEN status = 'AVAILABLE' THEN 'F' ELSE ' ' END, '' ORDER BY seat_number) AS seats
     FROM seats WHERE concert_id = $1 GROUP BY (seat_number - 1) / $2`,
    [concert, ROW_SEATS],
  );
  return rows.flatMap(({ seats }) => seats.trim().split(/ +/)).map((run) => run.length);
}

describe('instances side by side', () => {
  test('sell out a hall in adjacent pairs to a concurrent crowd, and refuse nobody before', () =>
    sellsOutInPairs(world, 50, 100));

  test('refuse no group of any size for which seats remain in the end', async () => {
    const concert = await world.openHall({ seats: 50 });
    const fans = await world.fans(80);
    await letIn(fans, concert);
    const sizeOf = (index: number) => (index % 4) + 1;

    const answers = await Promise.all(fans.map((fan, index) => fan.reserveBest({ quantity: sizeOf(index) })));

    const { 201: held = 0, ...refused } = tally(answers);
    expect(refused).toEqual({ '409 no-adjacent-seats': 80 - held });
    const smallest = Math.min(...answers.flatMap(({ status }, index) => (status === 409 ? [sizeOf(index)] : [])));
    expect(Math.max(...(await runsLeft(concert)))).toBeLessThan(smallest);
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('sell out a hall where orphan seats are forbidden, and refuse nobody before', async () => {
    const concert = await world.openHall({ seats: 40, strandedSeats: 'enforce' });
    const fans = await world.fans(80);
    await letIn(fans, concert);

    const answers = await Promise.all(fans.map((fan) => fan.reserveBest({ quantity: 2 })));

    expect(tally(answers)).toEqual({ 201: 20, '409 no-adjacent-seats': 60 });
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('give a group the same seats, however often and wherever it repeats its request at once', async () => {
    const concert = await world.openHall({ seats: 50, seatsPerUserMax: 50 });
    const fan = await world.fan();
    await letIn([fan], concert);

    const answers = await Promise.all(Array.from({ length: 30 }, () => fan.reserveBest({ quantity: 3 }, 'one')));

    expect(tally(answers)).toEqual({ 201: 30 });
    expect(new Set(answers.map(({ body }) => body.reservationId)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);
    const { rows } = await world.pool.query(
      `SELECT count(*)::integer AS held FROM seats WHERE concert_id = $1 AND status = 'HELD'`,
      [concert],
    );
    expect(rows).toEqual([{ held: 3 }]);
  });

  auditAtTheEnd(world);
});
