import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { queueTokens } from '#adapters/http/guards/queue-token.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import { type Answer, fetchTransport } from '#tests/support/client/client.ts';
import { DATE, PRICE } from '#tests/support/hall.ts';
import { SECRETS } from '#tests/support/instance.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { endSession } from '#tests/support/queue-clock.ts';
import { letIn, sharedWorld } from '#tests/support/world.ts';

// Every call that the API's own document calls queue-protected, so that none can be forgotten here.

const world = await sharedWorld();
const { redis } = await openRedis();
const [{ url }] = world.instances as [(typeof world.instances)[number]];
const send = fetchTransport(() => url);

type Operation = { readonly security?: readonly Record<string, unknown>[] };
type Call = { readonly method: string; readonly path: string };

const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
  paths: Record<string, Record<string, Operation>>;
};
const withToken = Object.entries(paths)
  .flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { security = [] }]) => ({ method: method.toUpperCase(), path, security })),
  )
  .filter(({ security }) => security.some((way) => 'queueToken' in way));
/** Calls about the queue entry are for every holder of a token; all others need a session. */
const aboutTheEntry = (path: string) => path.startsWith('/v1/queue');
/** Calls about the one reservation that there is: the owner's. */
const aboutAReservation = (path: string) => path === '/v1/payments' || path.includes('{reservationId}');
const forHolders: readonly Call[] = withToken.filter(({ path }) => !path.endsWith('/events'));
const forThoseWhoAreIn = forHolders.filter(({ path }) => !aboutTheEntry(path));

const [hall, otherHall] = [await world.openHall({ activeMax: 2 }), await world.openHall()];
const [gone, insider, owner, outsider, stranger, elsewhere] = await world.fans(6);
await letIn([gone], hall);
await gone.leave();
await letIn([insider, owner], hall);
await letIn([elsewhere], otherHall);
await outsider.join(hall);
const reservation = await owner.hold(1);

const asked: Readonly<Record<string, unknown>> = {
  '/v1/reservations': { date: DATE, seatNumbers: [2] },
  '/v1/payments': { reservationId: reservation },
};

function ask({ method, path }: Call, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const named = path.replace('{concertId}', hall).replace('{date}', DATE).replace('{reservationId}', reservation);
  const body = method === 'POST' ? asked[path] : undefined;
  return send(method, named, { headers: { 'idempotency-key': randomUUID(), ...headers }, body });
}

const [keyId = '', secret = ''] = SECRETS.QUEUE_TOKEN_KEYS.split(':');
const entry = queueTokens([{ id: keyId, secret }]).verify(insider.token) as QueueEntry;
const [, payload = '', signature = ''] = insider.token.split('.');
const payloadOf = (change: Partial<QueueEntry>) =>
  queueTokens([{ id: keyId, secret: 'a' }])
    .sign({ ...entry, ...change })
    .split('.')[1];

const forged: readonly (readonly [string, string])[] = [
  ['signed with another secret', queueTokens([{ id: keyId, secret: 'x'.repeat(32) }]).sign(entry)],
  ['signed with a key that nobody knows', queueTokens([{ id: 'other', secret }]).sign(entry)],
  ['for an earlier place', `${keyId}.${payloadOf({ sequence: entry.sequence - 1 })}.${signature}`],
  ['for another concert', `${keyId}.${payloadOf({ concertId: otherHall })}.${signature}`],
  ['without a signature', `${keyId}.${payload}.`],
  ['with an empty signature of full length', `${keyId}.${payload}.${'A'.repeat(43)}`],
  ['cut short', insider.token.slice(0, -1)],
  ['with something after it', `${insider.token}A`],
  ['that is an access token', insider.accessToken],
  ['that is no token at all', 'let me in'],
];

test('the guarded calls are those of the contract', () => {
  expect(forThoseWhoAreIn.map(({ method, path }) => `${method} ${path}`)).toEqual(
    expect.arrayContaining([
      'GET /v1/concerts/{concertId}/dates',
      'GET /v1/concerts/{concertId}/dates/{date}/seats',
      'POST /v1/reservations',
      'POST /v1/reservations/{reservationId}/extensions',
      'POST /v1/payments',
    ]),
  );
  expect(forHolders.filter(({ path }) => aboutTheEntry(path))).toHaveLength(2);
});

describe.each(forHolders)('$method $path', (call) => {
  test('requires a queue token', async () => {
    expect(await ask(call, {})).toMatchObject({ status: 401, body: { code: 'queue-token-missing' } });
  });

  test.each(forged)('refuses a token %s', async (_, token) => {
    const answer = await ask(call, { 'queue-token': token });
    expect(answer).toMatchObject({ status: 401, body: { code: 'queue-token-invalid' } });
  });

  test('refuses a token presented by another user', async () => {
    const answer = await ask(call, { ...stranger.asUser, ...insider.inQueue });
    expect(answer).toMatchObject({ status: 401, body: { code: 'queue-token-invalid' } });
  });
});

describe.each(forThoseWhoAreIn)('$method $path', (call) => {
  test('refuses a waiting entry', async () => {
    const answer = await ask(call, outsider.inQueue);
    expect(answer).toMatchObject({ status: 403, body: { code: 'not-admitted', position: 1 } });
  });

  test('refuses an entry whose session has ended', async () => {
    const answer = await ask(call, gone.inQueue);
    expect(answer).toMatchObject({ status: 403, body: { code: 'session-expired' } });
  });

  test('refuses a token of another concert', async () => {
    const answer = await ask(call, elsewhere.inQueue);
    if (call.path.includes('{concertId}')) {
      expect(answer).toMatchObject({ status: 401, body: { code: 'queue-token-invalid' } });
    } else if (aboutAReservation(call.path)) {
      expect(answer).toMatchObject({ status: 404, body: { code: 'reservation-not-found' } });
    } else {
      // The token says which concert is meant, so what it gets is there.
      expect(answer).toMatchObject({ status: 201, body: { concertId: otherHall } });
    }
  });

  test('passes the token of an active entry, without any other credential', async () => {
    const { status, body } = await ask(call, insider.inQueue);
    // Past the guard, it is told that the reservation is somebody else's.
    if (aboutAReservation(call.path)) expect(body.code).toBe('reservation-not-found');
    else expect(status).toBe(call.method === 'POST' ? 201 : 200);
  });
});

test('refused calls have no effect', async () => {
  const { rows } = await world.pool.query(
    'SELECT user_id FROM reservations WHERE concert_id = $1 ORDER BY created_at',
    [hall],
  );
  expect(rows.map(({ user_id }) => user_id)).toEqual([owner.userId, insider.userId]);
});

test('the owner of a hold extends and pays it, whatever the queue has forgotten', async () => {
  const hall = await world.openHall();
  const fan = await world.fan({ balance: PRICE });
  await letIn([fan], hall);
  const reservation = await fan.hold(1);
  await endSession(redis, hall, fan.userId);
  expect((await fan.reserve([2])).body.code).toBe('session-expired');
  expect((await fan.extend(reservation)).status).toBe(201);
  expect((await fan.pay(reservation)).status).toBe(201);
});

test('a token ends with its entry: joining again returns another, and the old one stays ended', async () => {
  const hall = await world.openHall({ activeMax: 1 });
  const fan = await world.fan();
  await letIn([fan], hall);
  const { token: old, inQueue: headers } = fan;
  await fan.leave();
  await letIn([fan], hall);
  expect(fan.token).not.toBe(old);

  const withOld = await send('GET', '/v1/queue', { headers });
  expect(withOld.body.status).toBe('EXPIRED');
  await send('DELETE', '/v1/queue', { headers });
  expect((await fan.poll()).body.status).toBe('ACTIVE');
});
