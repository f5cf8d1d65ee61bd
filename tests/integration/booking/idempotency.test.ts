import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { askOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import { type Answer, type Client, fetchTransport } from '#tests/support/client/client.ts';
import { type Operation, operations } from '#tests/support/contract.ts';
import { DATE, PRICE } from '#tests/support/hall.ts';
import { until } from '#tests/support/until.ts';
import { letIn, sharedWorld } from '#tests/support/world.ts';

// Each command that the document says needs an Idempotency-Key: what the key does for it, and how it is refused.

const world = await sharedWorld();
/** Refuses soon what has to wait for a lock. */
const hasty = await world.start({ DATABASE_LOCK_TIMEOUT_MS: '200' });

let fan: Client;
let [held, other] = ['', ''];
beforeAll(async () => {
  fan = await world.fan();
  await letIn([fan], await world.openHall({ seatsPerUserMax: 10 }));
  [held, other] = [await fan.hold(1), await fan.hold(2)];
});

type Command = { readonly path: () => string; readonly body?: () => unknown };

/** A command of each kind, and another of the same kind; in an order in which each can succeed. */
const commands: Readonly<Record<string, readonly [Command, Command]>> = {
  reserveSeats: [
    { path: () => '/v1/reservations', body: () => ({ date: DATE, seatNumbers: [3] }) },
    { path: () => '/v1/reservations', body: () => ({ date: DATE, seatNumbers: [4] }) },
  ],
  extendHold: [
    { path: () => `/v1/reservations/${held}/extensions` },
    { path: () => `/v1/reservations/${other}/extensions` },
  ],
  chargeBalance: [
    { path: () => `/v1/users/${fan.userId}/balance/charges`, body: () => ({ amount: 5 * PRICE }) },
    { path: () => `/v1/users/${fan.userId}/balance/charges`, body: () => ({ amount: 1 }) },
  ],
  cancelReservation: [
    { path: () => `/v1/reservations/${other}/cancellation` },
    { path: () => `/v1/reservations/${held}/cancellation` },
  ],
  payReservation: [
    { path: () => '/v1/payments', body: () => ({ reservationId: held }) },
    { path: () => '/v1/payments', body: () => ({ reservationId: other }) },
  ],
};

const send = ({ path, body }: Command, key?: string): Promise<Answer> =>
  fan.call('POST', path(), { body: body?.(), ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }) });

/** The same, at one instance. */
const sendTo = (url: string, { path, body }: Command, key: string): Promise<Answer> =>
  fetchTransport(() => url)('POST', path(), {
    headers: { ...fan.asUser, ...fan.inQueue, 'idempotency-key': key },
    body: body?.(),
  });

const needsKey = ({ parameters = [] }: Operation) =>
  parameters.some(({ in: entry, name, required }) => entry === 'header' && name === 'Idempotency-Key' && required);

const forThoseWhoAreIn = new Set(
  operations
    .filter(({ operation: { security = [] } }) => security.some((way) => 'queueToken' in way))
    .map(({ operation }) => operation.operationId),
);

test('the commands of the document that need a key are those of this test', () => {
  const named = operations.filter(({ operation }) => needsKey(operation)).map(({ operation }) => operation.operationId);
  expect(named.toSorted()).toEqual(Object.keys(commands).toSorted());
});

describe.each(Object.entries(commands))('%s', (name, [command, another]) => {
  const key = randomUUID();

  test('is refused without a key, and with one that is too long', async () => {
    expect(await send(command)).toMatchObject({ status: 400, body: { code: 'idempotency-key-missing' } });
    expect(await send(command, 'x'.repeat(256))).toMatchObject({ status: 400, body: { code: 'validation-failed' } });
  });

  test('is refused while the same request is under way, and leaves the key free', async () => {
    const session = await world.pool.connect();
    try {
      await session.query('BEGIN');
      await askOf(session)(functions.recallAnswer, fan.userId, key, 'under way');
      expect(await sendTo(hasty.url, command, key)).toMatchObject({
        status: 409,
        body: { code: 'idempotency-key-in-use' },
      });
      await session.query('ROLLBACK');
    } finally {
      session.release(true);
    }
  });

  test('gets its first answer again, marked as replayed', async () => {
    const [first, again] = [await send(command, key), await send(command, `"${key}"`)];
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    expect([first, again].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true']);
  });

  test('is refused if its key was used for another command, of the same kind or any other', async () => {
    // Paying ends the session: after that, calls for those who are in do not come as far.
    const reached = (kind: string) => name !== 'payReservation' || !forThoseWhoAreIn.has(kind);
    const elsewhere = Object.entries(commands).filter(([kind]) => kind !== name && reached(kind));
    for (const [kind, [asked]] of [[name, [another]] as const, ...elsewhere]) {
      expect(await send(asked, key), kind).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
    }
  });
});

test('answers are kept for a day, and then deleted by the job', async () => {
  const keys = { young: randomUUID(), old: randomUUID() };
  for (const key of Object.values(keys)) await fan.charge(7, key);
  const age = (key: string, interval: string) =>
    world.pool.query('UPDATE idempotency_keys SET answered_at = answered_at - $2::interval WHERE key = $1', [
      key,
      interval,
    ]);
  await age(keys.young, '23 hours');
  await age(keys.old, '24 hours 1 minute');

  const known = async () => {
    const { rows } = await world.pool.query('SELECT key FROM idempotency_keys WHERE key = ANY ($1)', [
      Object.values(keys),
    ]);
    return rows.map(({ key }) => key);
  };
  await until('the older answer is deleted', async () => !(await known()).includes(keys.old));
  expect(await known()).toEqual([keys.young]);
  const again = await fan.charge(7, keys.young);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
});
