import { describe, expect, test } from 'vitest';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { contradictions } from '#tests/support/books.ts';
import { endHoldIn } from '#tests/support/box-offices.ts';
import { tally } from '#tests/support/client/client.ts';
import { sellsASeatOnce, sellsEachSeatOnce } from '#tests/support/races.ts';
import { until } from '#tests/support/until.ts';
import { letIn, sharedWorld } from '#tests/support/world.ts';

// Instances over HTTP. `tests/heavy/races-seats.test.ts` has larger crowds, and `races-without-guards.test.ts` has the same races with Redis' part taken away.

const world = await sharedWorld();

describe('instances side by side', () => {
  test('sell a seat once to a crowd that reserves it at the same instant', () => sellsASeatOnce(world, 100));

  test('sell each seat once to a crowd that reserves and pays at once', () => sellsEachSeatOnce(world, 20, 100));

  test('give groups with overlapping seats all of them or none, without deadlock', async () => {
    const concert = await world.openHall({ seats: 20 });
    const fans = await world.fans(60);
    await letIn(fans, concert);

    // Four neighbours each, in an order of their own: the order in which they are named must not matter.
    const wanted = (index: number) => [3, 0, 2, 1].map((offset) => ((index * 7 + offset * 3) % 20) + 1);
    const answers = await Promise.all(fans.map((fan, index) => fan.reserve(wanted(index))));

    const { 201: held = 0, ...refused } = tally(answers);
    expect(held).toBeGreaterThan(0);
    expect(refused).toEqual({ '409 seat-taken': 60 - held });
    const { rows } = await world.pool.query(
      `SELECT count(*)::integer AS seats FROM seats WHERE concert_id = $1 AND status = 'HELD'`,
      [concert],
    );
    expect(rows).toEqual([{ seats: held * 4 }]);
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('refuse a held seat until its deadline, then give it to exactly one of the crowd', async () => {
    const concert = await world.openHall({ seats: 1 });
    const [first, ...crowd] = await world.fans(21);
    if (first === undefined) throw new RangeError('nobody came');
    await letIn([first, ...crowd], concert);

    const held = await first.hold(1);
    await endHoldIn(world.pool, held, 500);
    const { rows } = await world.pool.query<{ until: Date }>(
      'SELECT held_until AS until FROM reservations WHERE reservation_id = $1',
      [held],
    );
    const taken: string[] = [];
    await until('one of the crowd has the seat', async () => {
      const answers = await Promise.all(crowd.map((fan) => fan.reserve([1])));
      const { 201: _, ...refused } = tally(answers);
      expect(Object.keys(refused)).toEqual(['409 seat-taken']);
      taken.push(...answers.flatMap(({ body }) => body.createdAt ?? []));
      return taken.length > 0;
    });

    expect(taken).toHaveLength(1);
    expect(new Date(taken[0] ?? '').getTime()).toBeGreaterThanOrEqual(rows[0]?.until.getTime() ?? Number.NaN);
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('hold a user who reserves through all of them at once to the limit of seats', async () => {
    const concert = await world.openHall({ seats: 50, seatsPerUserMax: 3 });
    const fan = await world.fan();
    await letIn([fan], concert);

    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => fan.reserve([index + 1])));

    expect(tally(answers)).toEqual({ 201: 3, '409 seat-limit-reached': 47 });
  });

  auditAtTheEnd(world);
});
