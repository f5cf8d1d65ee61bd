import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { recordColumns, recordKinds } from '#domain/records/records.ts';
import type { Client } from '#tests/support/client/client.ts';
import { contractClient } from '#tests/support/contract-client.ts';
import { exportManyRows, startSmall } from '#tests/support/export-many-rows.ts';
import { DATE, makeUsers, PRICE } from '#tests/support/hall.ts';
import { ADMIN_KEY, type Instance } from '#tests/support/instance.ts';
import { letIn, sharedWorld, startWorld } from '#tests/support/world.ts';

/** Of what V8 keeps for long. An instance that kept the rows would not live to the end. */
const HEAP_MEGABYTES = 128;

const world = await sharedWorld();
// Rows are made up here that nothing has led to.
const apart = await startWorld({ instances: 0 });
const small = await startSmall(apart, HEAP_MEGABYTES);
const [instance] = world.instances as [Instance];
const call = contractClient(instance.url);
const callSmall = contractClient(small.url);
const authorized = { authorization: `Bearer ${ADMIN_KEY}` };

const exportOf = (kind: string, query = '', headers = {}, at = call) =>
  at('GET', `/v1/admin/exports/${kind}${query}`, { headers: { ...authorized, ...headers } });

type Row = Readonly<Record<string, unknown>>;
async function rowsOf(kind: string, query = '', at = call): Promise<Row[]> {
  const { status, body } = await exportOf(kind, query, {}, at);
  expect(status).toBe(200);
  return String(body)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Row);
}
const withoutNulls = (row: Row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));

/** Somebody who has paid, was refunded, and holds something, at a concert of their own. */
async function story() {
  const concert = await world.openHall();
  const fan = await world.fan({ balance: 10 * PRICE });
  await letIn([fan], concert);
  const paid = await fan.hold(1, 2);
  const refunded = await fan.hold(3);
  await fan.pay(paid);
  await fan.enter(concert);
  await fan.pay(refunded);
  await fan.cancel(refunded);
  await fan.enter(concert);
  const held = await fan.hold(4);
  return { concert, fan, paid, refunded, held };
}
const listOf = async (fan: Client, path: string) => (await fan.get(`/v1${path}?limit=100`)).body.items ?? [];

describe('an export', () => {
  test('has the records that users see, and the ledger behind them', async () => {
    const { concert, fan, paid, refunded, held } = await story();
    const query = `?concertId=${concert}`;

    const reservations = await rowsOf('reservations', query);
    expect(reservations.map(({ reservationId }) => reservationId)).toEqual([paid, refunded, held]);
    const seen = (await listOf(fan, '/reservations')).toReversed();
    expect(reservations.map(({ endedAt: _, sequence: __, ...row }) => row)).toEqual(seen);
    expect(reservations.map(({ sequence, endedAt }) => [sequence, typeof endedAt])).toEqual([
      [1, 'string'],
      [2, 'string'],
      [3, 'object'],
    ]);

    const payments = await rowsOf('payments', query);
    const ownPayments = (await listOf(fan, '/payments')).toReversed();
    expect(payments.map(({ concertId: _, ...row }) => withoutNulls(row))).toEqual(ownPayments);

    const refunds = await rowsOf('refunds', query);
    const paymentId = ownPayments[1]?.paymentId;
    expect(refunds).toEqual([
      {
        ...{ refundId: expect.any(String), paymentId, reservationId: refunded, userId: fan.userId, concertId: concert },
        ...{ amount: PRICE, currency: 'KRW', balance: 8 * PRICE, refundedAt: payments[1]?.refundedAt },
      },
    ]);

    const entries = (await rowsOf('ledger-entries')).filter(({ userId }) => userId === fan.userId);
    const own = (await listOf(fan, `/users/${fan.userId}/balance/entries`)).toReversed();
    expect(entries.map(({ account: _, userId: __, ...row }) => row)).toEqual(own);
    const all = await rowsOf('ledger-entries');
    const sums = Map.groupBy(all, ({ transactionId }) => transactionId).values();
    for (const both of sums) {
      expect(both.reduce((sum, { amount }) => sum + Number(amount), 0)).toBe(0);
      expect(new Set(both.map(({ currency }) => currency))).toEqual(new Set(['KRW']));
    }

    const changes = await rowsOf('seat-history', query);
    expect(changes.map(({ seatNumber, change, userId }) => [seatNumber, change, userId])).toEqual(
      [
        [1, 'held'],
        [2, 'held'],
        [3, 'held'],
        [1, 'sold'],
        [2, 'sold'],
        [3, 'sold'],
        [3, 'refunded'],
        [4, 'held'],
      ].map((change) => [...change, fan.userId]),
    );
  });

  test.each(recordKinds)('of %s has the documented columns, also as CSV, by query or by Accept', async (kind) => {
    await story();
    const [line] = await rowsOf(kind);
    expect(Object.keys(line ?? {})).toEqual(recordColumns[kind]);
    const asked = await exportOf(kind, '', { accept: 'text/csv' });
    expect(asked.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(asked.headers.get('content-disposition')).toBe(`attachment; filename="${kind}.csv"`);
    const [head, first = '', ...rest] = String(asked.body).split('\r\n');
    expect(head).toBe(recordColumns[kind].join());
    expect(first.split(',')).toEqual(
      Object.values(line ?? {}).map((value) =>
        value === null ? '' : Array.isArray(value) ? value.join(' ') : `${value}`,
      ),
    );
    expect(rest.at(-1)).toBe('');
    expect((await exportOf(kind, '?format=csv', { accept: 'application/x-ndjson' })).body).toMatch(/^\w+,\w+/);
    expect((await exportOf(kind, '', { accept: 'application/x-ndjson, text/csv' })).body).toMatch(/^\{/);
  });

  test('is limited to one concert and to a time range without its end', async () => {
    const { concert } = await story();
    const payments = await rowsOf('payments', `?concertId=${concert}`);
    const [first, second] = payments.map(({ paidAt }) => paidAt);
    const between = await rowsOf('payments', `?concertId=${concert}&from=${first}&until=${second}`);
    expect(between.map(({ paidAt }) => paidAt)).toEqual([first]);
    expect(await rowsOf('payments', `?concertId=${concert}&from=${second}`)).toHaveLength(1);
    expect(await rowsOf('reservations', `?concertId=${randomUUID()}`)).toEqual([]);
    expect(await rowsOf('ledger-entries', '?until=2020-01-01T00:00:00.000Z')).toEqual([]);
  });

  test('requires an admin key, a known kind, and a kind with concerts for a concert', async () => {
    const { concert } = await story();
    expect((await call('GET', '/v1/admin/exports/payments')).code).toBe('unauthenticated');
    for (const asked of [
      'everything',
      `ledger-entries?concertId=${concert}`,
      'payments?format=xlsx',
      'refunds?from=now',
    ]) {
      expect((await exportOf(asked)).code).toBe('validation-failed');
    }
  });

  test('has once each record that existed when it began, whatever happens meanwhile', async () => {
    const concert = await apart.openHall({ seats: 1 });
    const [user] = await makeUsers(apart.pool, 1);
    const reserve = (count: number) =>
      apart.pool.query(
        `INSERT INTO reservations
           (reservation_id, user_id, concert_id, date, status, amount, currency, held_until, held_for_seconds, created_at)
         SELECT gen_random_uuid(), $1, $2, $3, 'CANCELLED', 1, 'KRW', now(), 1, clock_timestamp() FROM generate_series(1, $4)`,
        [user, concert, DATE, count],
      );
    await reserve(10_000);
    const { rows } = await apart.pool.query<{ id: string }>(
      'SELECT reservation_id AS id FROM reservations WHERE concert_id = $1',
      [concert],
    );
    let isOver = false;
    const writing = (async () => {
      while (!isOver) await reserve(200);
    })();
    const answer = await rowsOf('reservations', `?concertId=${concert}`, callSmall);
    const exported = answer.map(({ reservationId }) => reservationId);
    isOver = true;
    await writing;
    expect(new Set(exported).size).toBe(exported.length);
    expect(rows.filter(({ id }) => !exported.includes(id))).toEqual([]);
  });
});

// The last test here: it ends the small instance.
describe('forty thousand rows', () => {
  test('are exported in constant memory, however slowly the client reads', async () => {
    await exportManyRows(apart, small, 40_000);
  });
});
