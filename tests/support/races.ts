import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { contradictions, holdings } from './books.ts';
import { tally } from './client/client.ts';
import { DATE, PRICE } from './hall.ts';
import { withStartingGun } from './starting-gun.ts';
import { letIn, type World } from './world.ts';

// Races over HTTP, for a crowd of any size.

/** Seats in a row of a hall without a plan. */
const ROW_SEATS = 10;
/** Requests that are inside before the first can do anything: as many connections as two instances have are enough for them. */
const INSIDE = 10;

/** All of the crowd ask for one seat. */
export async function sellsASeatOnce(world: World, crowd: number): Promise<void> {
  const concert = await world.openHall({ seats: 1 });
  const fans = await world.fans(crowd);
  await letIn(fans, concert);

  const answers = await Promise.all(fans.map((fan) => fan.reserve([1])));

  expect(tally(answers)).toEqual({ 201: 1, '409 seat-taken': crowd - 1 });
  expect(await contradictions(world.pool)).toEqual([]);
}

/** The crowd is several times as many as the seats; each asks for one, and pays for it if it is theirs. */
export async function sellsEachSeatOnce(world: World, seats: number, crowd: number): Promise<void> {
  const concert = await world.openHall({ seats });
  const fans = await world.fans(crowd, { balance: PRICE });
  await letIn(fans, concert);

  const answers = await Promise.all(
    fans.map(async (fan, index) => {
      const reserved = await fan.reserve([(index % seats) + 1]);
      const { reservationId } = reserved.body;
      return reservationId === undefined ? [reserved] : [reserved, await fan.pay(reservationId)];
    }),
  );

  expect(tally(answers.flat())).toEqual({ 201: seats + seats, '409 seat-taken': crowd - seats });
  const { rows } = await world.pool.query(
    `SELECT count(*)::integer AS seats, count(DISTINCT payment_id)::integer AS payments, sum(amount)::integer AS income
     FROM seats JOIN payments USING (payment_id) WHERE concert_id = $1 AND date = $2 AND status = 'SOLD'`,
    [concert, DATE],
  );
  expect(rows).toEqual([{ seats, payments: seats, income: seats * PRICE }]);
  expect(await contradictions(world.pool)).toEqual([]);
}

/** One client pays for one reservation. Half of the requests repeat one of them, half are requests of their own. */
export async function takesOnePayment(world: World, requests: number): Promise<void> {
  const concert = await world.openHall();
  const fan = await world.fan({ balance: requests * PRICE });
  await letIn([fan], concert);
  const reservation = await fan.hold(1);

  const same = randomUUID();
  const seats = 'FROM seats WHERE reservation_id = $1';
  const answers = await withStartingGun(world.pool, seats, [reservation], INSIDE, (shot) =>
    Promise.all(
      Array.from({ length: requests }, async (_, index) => {
        if (index >= 2 * INSIDE) await shot;
        return fan.pay(reservation, index % 2 === 0 ? same : randomUUID());
      }),
    ),
  );

  const paid = answers.filter(({ status }) => status === 201);
  expect(new Set(paid.map(({ body }) => body.paymentId)).size).toBe(1);
  expect(paid.filter(({ headers }) => !headers.has('idempotency-replayed'))).toHaveLength(1);
  const { 201: _, '409 already-paid': _paid, ...others } = tally(answers);
  expect(others).toEqual({});
  expect(await holdings(world.pool, fan.userId)).toEqual({ balance: (requests - 1) * PRICE, payments: 1, seats: 1 });
  expect(await contradictions(world.pool)).toEqual([]);
}

/**
 * Twice as many pairs as there is room for, and more, ask for the best seats.
 *
 * @returns answers a second, of holds and refusals
 */
export async function sellsOutInPairs(world: World, seats: number, crowd: number): Promise<number> {
  const concert = await world.openHall({ seats });
  const fans = await world.fans(crowd);
  await letIn(fans, concert);

  const begunMs = performance.now();
  const answers = await Promise.all(fans.map((fan) => fan.reserveBest({ quantity: 2 })));
  const seconds = (performance.now() - begunMs) / 1_000;

  expect(tally(answers)).toEqual({ 201: seats / 2, '409 no-adjacent-seats': crowd - seats / 2 });
  const sold = answers.flatMap(({ body }) => body.seatNumbers ?? []);
  expect(new Set(sold).size).toBe(seats);
  for (const { body } of answers) {
    const [left = 0, right = left + 1] = body.seatNumbers ?? [];
    expect([right - left, Math.ceil(right / ROW_SEATS)]).toEqual([1, Math.ceil(left / ROW_SEATS) || 1]);
  }
  expect(answers.map(({ body }) => body.left ?? 0)).toEqual(Array(crowd).fill(0));
  expect(await contradictions(world.pool)).toEqual([]);
  return crowd / seconds;
}
