import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { queueTokens } from '#adapters/http/guards/queue-token.ts';
import { holdKeys } from '#adapters/redis/keys.ts';
import { type ConcertId, reservationId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { contradictions, holdings } from '#tests/support/books.ts';
import { type Answer, type Client, tally } from '#tests/support/client/client.ts';
import type { LastWill } from '#tests/support/dying-process.ts';
import { DATE, PRICE } from '#tests/support/hall.ts';
import { COMPILE_CACHE, SECRETS } from '#tests/support/instance.ts';
import { reaped } from '#tests/support/reaper.ts';
import { HANG_MS, until } from '#tests/support/until.ts';
import { letIn, sharedWorld } from '#tests/support/world.ts';

const world = await sharedWorld();
const redis = new Redis(world.redisUrl);
afterAll(() => redis.disconnect());

const holderOf = (concertId: ConcertId, seatNumber: number) =>
  holdKeys({ concertId, date: DATE, seatNumbers: [seatNumber] })[0] ?? '';
/** How long the seat's mark lasts, in milliseconds; negative when there is none. */
const markLasts = (concertId: ConcertId, seatNumber: number) => redis.pttl(holderOf(concertId, seatNumber));

/** What is left to be done about these reservations is left to nobody any longer: instead of waiting for that. */
async function fallDue(reservations: readonly string[]): Promise<void> {
  await world.pool.query('UPDATE outbox_messages SET due_at = clock_timestamp() WHERE reservation_id = ANY ($1)', [
    reservations,
  ]);
}

test('a process that dies after committing a payment leaves a session and hold keys that others end', async () => {
  const concert = await world.openHall({ activeMax: 1 });
  const [fan, next] = await world.fans(2, { balance: 5 * PRICE });
  await letIn([fan], concert);
  await next.join(concert);
  const reservation = await fan.hold(1);
  expect(await markLasts(concert, 1)).toBeGreaterThan(0);
  const key = randomUUID();

  await dieAfter(fan, key, { command: 'pay', reservationId: reservationId(reservation) });
  await fallDue([reservation]);
  expect(await holdings(world.pool, fan.userId)).toEqual({ balance: 4 * PRICE, payments: 1, seats: 1 });

  await until('the session has ended', async () => (await fan.poll()).body.status === 'EXPIRED');
  await next.untilActive();
  await until('the hold key is gone', async () => (await markLasts(concert, 1)) < 0);
  await until('the outbox is empty', async () => (await messages(reservation)) === 0);

  const again = await fan.pay(reservation, key);
  expect(tally([again])).toEqual({ 201: 1 });
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(await holdings(world.pool, fan.userId)).toEqual({ balance: 4 * PRICE, payments: 1, seats: 1 });
});

test('a process that dies after committing a hold leaves a hold key and a session that others prolong', async () => {
  const concert = await world.openHall({ sessionSeconds: 120, holdSeconds: 600 });
  const fan = await world.fan({ balance: PRICE });
  await letIn([fan], concert);
  const key = randomUUID();

  await dieAfter(fan, key, { command: 'hold', date: DATE, seatNumbers: [1] });
  const { items = [] } = (await fan.call('GET', '/v1/reservations')).body;
  const [{ heldUntil, reservationId: held = '' } = {}] = items;
  await fallDue([held]);

  await until('the hold key lasts as long as the hold', async () => (await markLasts(concert, 1)) > 300_000);
  await until(
    'the session lasts as long as the hold',
    async () => time((await fan.poll()).body.expiresAt) >= time(heldUntil) - 1_000,
  );
  const again = await fan.reserve([1], key);
  expect(again).toMatchObject({ status: 201, body: { reservationId: held } });
  expect((await fan.pay(held)).status).toBe(201);
});

test('a process that dies before committing its hold blocks the seat for seconds, and then its user succeeds', async () => {
  const concert = await world.openHall();
  const [fan, other] = await world.fans(2);
  await letIn([fan, other], concert);
  const key = randomUUID();

  await dies('before', fan, key, { command: 'hold', date: DATE, seatNumbers: [1] });

  const blockedFor = await markLasts(concert, 1);
  expect(blockedFor).toBeGreaterThan(0);
  expect(blockedFor).toBeLessThanOrEqual(10_000);
  await redis.pexpire(holderOf(concert, 1), HANG_MS);
  expect(tally([await other.reserve([1])])).toEqual({ '409 seat-taken': 1 });
  // Mark and lock are those of the fan's own command. Neither stands in its way.
  expect((await fan.reserve([1], key)).status).toBe(201);
  expect(await contradictions(world.pool)).toEqual([]);
});

test('an instance killed during a rush costs no user a seat or a second payment: all repeat and succeed', async () => {
  const victim = await world.start();
  const doors = [...world.instances, victim];
  const concert = await world.openHall({ seats: 40 });
  const fans = await world.fans(40, { balance: 2 * PRICE, doors });
  await letIn(fans, concert);

  let answered = 0;
  let kill: Promise<unknown> | undefined;
  let cutOff = 0;
  /** Repeats whatever got no answer. The locks of the instance that was killed stand in nobody's way. */
  async function persistently(command: () => Promise<Answer>): Promise<Answer> {
    let answer: Answer | undefined;
    await until('a command is answered', async () => {
      answer = await command().catch((error: unknown) => {
        if (!(error instanceof TypeError)) throw error;
        cutOff++;
        return undefined;
      });
      return answer !== undefined;
    });
    if (++answered === 20) kill = victim.end('SIGKILL');
    return answer as Answer;
  }
  const reservations: Answer[] = [];
  const answers = await Promise.all(
    fans.map(async (fan, index) => {
      const [reserveKey, payKey] = [randomUUID(), randomUUID()];
      const reserved = await persistently(() => fan.reserve([index + 1], reserveKey));
      reservations.push(reserved);
      const { reservationId: held = '' } = reserved.body;
      return persistently(() => fan.pay(held, payKey));
    }),
  );
  await kill;
  await fallDue(reservations.flatMap(({ body }) => body.reservationId ?? []));

  expect(cutOff).toBeGreaterThan(0);
  expect(tally(reservations)).toEqual({ 201: 40 });
  expect(tally(answers)).toEqual({ 201: 40 });
  const { rows } = await world.pool.query(
    `SELECT count(*)::integer AS sold, (SELECT sum(balance)::integer FROM wallets WHERE user_id = ANY ($2)) AS left_over
     FROM seats WHERE concert_id = $1 AND status = 'SOLD'`,
    [concert, fans.map((fan) => fan.userId)],
  );
  expect(rows).toEqual([{ sold: 40, left_over: 40 * PRICE }]);
  expect(await contradictions(world.pool)).toEqual([]);
  await until('every session has ended', async () => {
    const queueStatuses = await Promise.all(fans.map((fan) => persistently(() => fan.poll())));
    return queueStatuses.every(({ body }) => body.status === 'EXPIRED');
  });
});

describe('processes that die', () => {
  auditAtTheEnd(world);
});

type Command =
  | Pick<Extract<LastWill, { command: 'hold' }>, 'command' | 'date' | 'seatNumbers'>
  | Pick<Extract<LastWill, { command: 'pay' }>, 'command' | 'reservationId'>;

const dieAfter = (fan: Client, key: string, command: Command) => dies('after', fan, key, command);

/** Has the fan's command done by a process that is killed on the way, with the key and the digest that HTTP would use. */
async function dies(moment: LastWill['dies'], fan: Client, key: string, command: Command): Promise<void> {
  const [id = '', secret = ''] = SECRETS.QUEUE_TOKEN_KEYS.split(':');
  const entry = queueTokens([{ id, secret }]).verify(fan.token) as QueueEntry;
  const [path, body] =
    command.command === 'hold'
      ? ['/v1/reservations', { date: command.date, seatNumbers: command.seatNumbers }]
      : ['/v1/payments', { reservationId: command.reservationId }];
  const fingerprint = createHash('sha256')
    .update(JSON.stringify(['POST', path, entry.concertId, body]))
    .digest('base64url');
  const will: LastWill = {
    databaseUrl: world.databaseUrl,
    redisUrl: world.redisUrl,
    dies: moment,
    entry,
    request: { userId: userId(fan.userId), key, fingerprint },
    ...command,
  };
  const script = fileURLToPath(new URL('../../support/dying-process.ts', import.meta.url));
  const child = reaped(
    spawn(process.execPath, [script, JSON.stringify(will)], {
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: COMPILE_CACHE },
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  );
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
}

async function messages(reservation: string): Promise<number> {
  const { rows } = await world.pool.query<{ count: number }>(
    'SELECT count(*)::integer AS count FROM outbox_messages WHERE reservation_id = $1',
    [reservation],
  );
  return rows[0]?.count ?? Number.NaN;
}

function time(instant: string | undefined): number {
  return new Date(instant ?? Number.NaN).getTime();
}
