import { describe, expect, test } from 'vitest';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { contradictions } from '#tests/support/books.ts';
import { tally } from '#tests/support/fan.ts';
import { DATE, PRICE } from '#tests/support/hall.ts';
import { until } from '#tests/support/until.ts';
import { letIn, startWorld } from '#tests/support/world.ts';

// Three servers over HTTP. `races-without-guards.test.ts` has the same races with Redis' part taken away.

const world = await startWorld();

describe('three instances', () => {
  test('sell a seat once to a thousand who ask for it in the same instant', async () => {
    const concert = await world.openHall({ seats: 1 });
    const fans = await world.fans(1_000);
    await letIn(fans, concert);

    const answers = await Promise.all(fans.map((fan) => fan.reserve([1])));

    expect(tally(answers)).toEqual({ 201: 1, '409 seat-taken': 999 });
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('sell fifty seats to fifty of five hundred who reserve and pay at once', async () => {
    const concert = await world.openHall({ seats: 50 });
    const fans = await world.fans(500, { balance: PRICE });
    await letIn(fans, concert);

    const answers = await Promise.all(
      fans.map(async (fan, index) => {
        const reserved = await fan.reserve([(index % 50) + 1]);
        const { reservationId } = reserved.body;
        return reservationId === undefined ? [reserved] : [reserved, await fan.pay(reservationId)];
      }),
    );

    expect(tally(answers.flat())).toEqual({ 201: 50 + 50, '409 seat-taken': 450 });
    const { rows } = await world.pool.query(
      `SELECT count(*)::integer AS seats, count(DISTINCT payment_id)::integer AS payments, sum(amount)::integer AS income
       FROM seats JOIN payments USING (payment_id) WHERE concert_id = $1 AND date = $2 AND status = 'SOLD'`,
      [concert, DATE],
    );
    expect(rows).toEqual([{ seats: 50, payments: 50, income: 50 * PRICE }]);
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('give groups that want overlapping seats all of them or none, without deadlock', async () => {
    const concert = await world.openHall({ seats: 20 });
    const fans = await world.fans(300);
    await letIn(fans, concert);

    // Four neighbours each, in an order of their own: the order in which they are named must not matter.
    const wanted = (index: number) => [3, 0, 2, 1].map((offset) => ((index * 7 + offset * 3) % 20) + 1);
    const answers = await Promise.all(fans.map((fan, index) => fan.reserve(wanted(index))));

    const { 201: held = 0, ...refused } = tally(answers);
    expect(held).toBeGreaterThan(0);
    expect(refused).toEqual({ '409 seat-taken': 300 - held });
    const { rows } = await world.pool.query(
      `SELECT count(*)::integer AS seats FROM seats WHERE concert_id = $1 AND status = 'HELD'`,
      [concert],
    );
    expect(rows).toEqual([{ seats: held * 4 }]);
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('keep everybody off a held seat until its deadline, then give it to exactly one of the crowd', async () => {
    const concert = await world.openHall({ seats: 1, holdSeconds: 1 });
    const [first, ...crowd] = await world.fans(51);
    if (first === undefined) throw new RangeError('nobody came');
    await letIn([first, ...crowd], concert);

    const held = await first.reserve([1]);
    const taken: string[] = [];
    await until('somebody of the crowd has the seat', async () => {
      const answers = await Promise.all(crowd.map((fan) => fan.reserve([1])));
      const { 201: _, ...refused } = tally(answers);
      expect(Object.keys(refused)).toEqual(['409 seat-taken']);
      taken.push(...answers.flatMap(({ body }) => body.createdAt ?? []));
      return taken.length > 0;
    });

    expect(taken).toHaveLength(1);
    expect(new Date(taken[0] ?? '').getTime()).toBeGreaterThanOrEqual(new Date(held.body.heldUntil ?? '').getTime());
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('hold a user who asks through all of them at once to the limit of seats', async () => {
    const concert = await world.openHall({ seats: 50, seatsPerUserMax: 3 });
    const fan = await world.fan();
    await letIn([fan], concert);

    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => fan.reserve([index + 1])));

    expect(tally(answers)).toEqual({ 201: 3, '409 seat-limit-reached': 47 });
  });

  auditAtTheEnd(world);
});
