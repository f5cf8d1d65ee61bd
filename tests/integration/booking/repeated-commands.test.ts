import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { contradictions, holdings } from '#tests/support/books.ts';
import { type Answer, type Client, tally } from '#tests/support/client/client.ts';
import { PRICE } from '#tests/support/hall.ts';
import { withStartingGun } from '#tests/support/starting-gun.ts';
import { letIn, sharedWorld } from '#tests/support/world.ts';

const world = await sharedWorld();

/** The same command, sent to all instances at once, and half of them inside before the first one can do anything. */
async function twentyTimes(
  rows: string,
  values: readonly unknown[],
  command: (key: string) => Promise<Answer>,
): Promise<Answer[]> {
  const key = randomUUID();
  return withStartingGun(world.pool, rows, values, 10, () =>
    Promise.all(Array.from({ length: 20 }, () => command(key))),
  );
}

function expectOneEffect(answers: readonly Answer[]): void {
  expect(tally(answers)).toEqual({ 201: 20 });
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(19);
}

describe('twenty times the same request at once has one effect and twenty equal answers', () => {
  test('reserve', async () => {
    const concert = await world.openHall({ seatsPerUserMax: 4 });
    const fan = await world.fan();
    await letIn([fan], concert);

    const seats = 'FROM seats WHERE concert_id = $1 AND seat_number = 1';
    expectOneEffect(await twentyTimes(seats, [concert], (key) => fan.reserve([1, 2], key)));

    const { body } = await fan.call('GET', '/v1/reservations');
    expect(body.items).toHaveLength(1);
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('pay', async () => {
    const concert = await world.openHall();
    const fan = await world.fan({ balance: 5 * PRICE });
    await letIn([fan], concert);
    const reservation = await fan.hold(1);

    const seats = 'FROM seats WHERE reservation_id = $1';
    expectOneEffect(await twentyTimes(seats, [reservation], (key) => fan.pay(reservation, key)));

    expect(await holdings(world.pool, fan.userId)).toEqual({ balance: 4 * PRICE, payments: 1, seats: 1 });
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('extend', async () => {
    const concert = await world.openHall();
    const fan = await world.fan();
    await letIn([fan], concert);
    const reservation = await fan.hold(1, 2);

    const seats = 'FROM seats WHERE reservation_id = $1';
    expectOneEffect(await twentyTimes(seats, [reservation], (key) => fan.extend(reservation, key)));

    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('cancel', async () => {
    const concert = await world.openHall();
    const fan = await world.fan({ balance: 5 * PRICE });
    await letIn([fan], concert);
    const reservation = await fan.hold(1, 2);
    await fan.pay(reservation);

    const seats = 'FROM seats WHERE reservation_id = $1';
    expectOneEffect(await twentyTimes(seats, [reservation], (key) => fan.cancel(reservation, key)));

    expect(await holdings(world.pool, fan.userId)).toEqual({ balance: 5 * PRICE, payments: 1, seats: 0 });
    const { body } = await fan.call('GET', `/v1/users/${fan.userId}/balance/entries`);
    expect(body.items?.map(({ amount }) => amount)).toEqual([2 * PRICE, -2 * PRICE, 5 * PRICE]);
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('charge', async () => {
    const fan = await world.fan();

    const wallet = 'FROM wallets WHERE user_id = $1';
    expectOneEffect(await twentyTimes(wallet, [fan.userId], (key) => fan.charge(500, key)));

    expect(await fan.balance()).toBe(500);
    expect(await contradictions(world.pool)).toEqual([]);
  });
});

describe('a request that is repeated later', () => {
  test('gets its first answer, though paying has ended the session', async () => {
    const concert = await world.openHall();
    const fan = await world.fan({ balance: PRICE });
    await letIn([fan], concert);
    const [reserveKey, payKey] = [randomUUID(), randomUUID()];
    const reserved = await fan.reserve([1], reserveKey);
    const reservation = reserved.body.reservationId ?? '';
    const paid = await fan.pay(reservation, payKey);
    expect((await fan.poll()).body.status).toBe('EXPIRED');

    const again = [await fan.reserve([1], reserveKey), await fan.pay(reservation, payKey)];

    expect(again.map(({ body }) => body)).toEqual([reserved.body, paid.body]);
    for (const { headers } of again) expect(headers.get('idempotency-replayed')).toBe('true');
    expect(tally([await fan.pay(reservation)])).toEqual({ '409 already-paid': 1 });
    expect(await holdings(world.pool, fan.userId)).toEqual({ balance: 0, payments: 1, seats: 1 });
  });

  test('is refused with other content under the same key', async () => {
    const concert = await world.openHall();
    const fan = await world.fan({ balance: 2 * PRICE });
    await letIn([fan], concert);
    const [reserveKey, payKey, chargeKey] = [randomUUID(), randomUUID(), randomUUID()];
    const { reservationId = '' } = (await fan.reserve([1], reserveKey)).body;
    const other = await fan.hold(2);
    await fan.charge(10, chargeKey);

    const refused = [await fan.reserve([3], reserveKey), await fan.charge(11, chargeKey)];
    await fan.pay(reservationId, payKey);
    refused.push(await fan.pay(other, payKey));

    expect(tally(refused)).toEqual({ '422 idempotency-key-reused': 3 });
    expect(await holdings(world.pool, fan.userId)).toEqual({ balance: PRICE + 10, payments: 1, seats: 1 });
  });

  test('is refused for the same seats of another concert under the same key', async () => {
    const [concert, other] = [await world.openHall(), await world.openHall()];
    const fan = await world.fan();
    const key = randomUUID();
    await letIn([fan], concert);
    await fan.reserve([1], key);
    await letIn([fan], other);

    expect(tally([await fan.reserve([1], key)])).toEqual({ '422 idempotency-key-reused': 1 });

    const { body } = await fan.call('GET', '/v1/reservations');
    expect(body.items).toMatchObject([{ concertId: concert }]);
  });

  test('and was refused before, is tried again: only successes are stored', async () => {
    const concert = await world.openHall();
    const fan: Client = await world.fan();
    await letIn([fan], concert);
    const reservation = await fan.hold(1);
    const key = randomUUID();
    expect(tally([await fan.pay(reservation, key)])).toEqual({ '402 insufficient-balance': 1 });

    await fan.charge(PRICE);

    expect(tally([await fan.pay(reservation, key)])).toEqual({ 201: 1 });
  });

  test('under the same key by another user is another request', async () => {
    const [one, other] = await world.fans(2);
    const key = randomUUID();
    const answers = await Promise.all([one.charge(500, key), other.charge(700, key)]);
    expect(tally(answers)).toEqual({ 201: 2 });
    expect([await one.balance(), await other.balance()]).toEqual([500, 700]);
  });
});
