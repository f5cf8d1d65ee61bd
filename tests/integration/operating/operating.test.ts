import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { queueKey } from '#adapters/redis/keys.ts';
import { contradictions } from '#tests/support/books.ts';
import { type Answer, type Client, send, tally } from '#tests/support/client/client.ts';
import { inParallel } from '#tests/support/in-parallel.ts';
import type { Instance } from '#tests/support/instance.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { passAtQueue } from '#tests/support/queue-clock.ts';
import { until } from '#tests/support/until.ts';
import { letIn, startWorld } from '#tests/support/world.ts';

const LIMIT = 10;
/** Further ahead, a poll asks Redis. */
const FAR_POSITION = 200;
const LAST_SEEN_BYTES = 4;
const { redis } = await openRedis();
const world = await startWorld({
  instances: 1,
  settings: { RATE_LIMIT_PER_MINUTE: String(LIMIT), TRUST_PROXY: '127.0.0.0/8', DATABASE_LOCK_TIMEOUT_MS: '60000' },
});
const [one] = world.instances as [Instance];
/** Counts polls as well, and knows its proxy in another way. */
const limited = await world.start({ POLL_LIMIT_PER_MINUTE: String(LIMIT), TRUST_PROXY: '1' });

// A minute of the limit may end in the middle of a test: then it goes again, with clients that nobody has counted.
describe('the rate limit', { retry: 2 }, () => {
  test('counts the commands of a user at all instances together', async () => {
    const [fan, other] = await world.fans(2, { doors: [one, limited] });

    const answers = await Promise.all(Array.from({ length: 3 * LIMIT }, () => fan.charge(1)));

    expect(tally(answers)).toEqual({ 201: LIMIT, '429 rate-limited': 2 * LIMIT });
    for (const { status, headers } of answers) {
      const seconds = Number(headers.get('retry-after'));
      expect(seconds > 0 && seconds <= 60).toBe(status === 429);
    }
    expect(await fan.balance()).toBe(LIMIT);
    expect((await other.charge(1)).status).toBe(201);
  });

  test('does not count polls', async () => {
    const fan = await world.fan();
    await letIn([fan], await world.openHall());
    const polls = await Promise.all(Array.from({ length: 3 * LIMIT }, () => fan.poll()));
    expect(tally(polls)).toEqual({ 200: 3 * LIMIT });
  });

  test('refuses a crowd of commands before the queue is asked for sessions', async () => {
    const concertId = await world.openHall({ activeMax: 1 });
    const [insider, waiting] = await world.fans(2);
    await letIn([insider], concertId);
    await waiting.join(concertId);
    const answers: Answer[] = [];
    for (let index = 0; index < 2 * LIMIT; index++) answers.push(await waiting.reserve([1]));
    expect(tally(answers)).toEqual({ '403 not-admitted': LIMIT, '429 rate-limited': LIMIT });
  });

  test('counts joins per instance', async () => {
    const [fan, concertId] = [await world.fan(), await world.openHall()];
    const joinAt = async ({ url }: Instance, times: number) => {
      const order = { method: 'POST', headers: fan.asUser };
      return Promise.all(Array.from({ length: times }, () => send(`${url}/v1/concerts/${concertId}/queue`, order)));
    };
    expect(tally(await joinAt(one, 3 * LIMIT))).toEqual({ 201: 1, 200: LIMIT - 1, '429 rate-limited': 2 * LIMIT });
    expect(tally(await joinAt(limited, LIMIT))).toEqual({ 200: LIMIT });
  });

  test('counts polls and other reads of a user per instance, if the settings say so', async () => {
    const [fan, neighbour] = await world.fans(2, { doors: [limited] });
    const concertId = await world.openHall();
    await fan.join(concertId);
    await neighbour.join(concertId);

    const polls = await Promise.all(Array.from({ length: 3 * LIMIT }, () => fan.poll()));

    expect(tally(polls)).toEqual({ 200: LIMIT, '429 rate-limited': 2 * LIMIT });
    for (const { status, headers } of polls) {
      const seconds = Number(headers.get('retry-after'));
      expect(seconds > 0 && seconds <= 60).toBe(true);
      expect([200, 429]).toContain(status);
    }
    expect((await neighbour.poll()).status).toBe(200);
    const elsewhere = await send(`${one.url}/v1/queue`, { headers: fan.inQueue });
    expect(elsewhere.status).toBe(200);
    const reads = await Promise.all(
      Array.from({ length: 2 * LIMIT }, () => send(`${limited.url}/v1/reservations`, { headers: fan.asUser })),
    );
    expect(tally(reads)).toEqual({ 200: LIMIT, '429 rate-limited': LIMIT });
  });
});

describe('behind a proxy', { retry: 2 }, () => {
  test.each([
    ['1', limited.url],
    ['127.0.0.0/8', one.url],
  ])(
    'the rate limit counts the address that the proxy saw, whatever the client claims: TRUST_PROXY=%s',
    async (_, url) => {
      // Nobody has come from these before: the counters are in a Redis that all tests share.
      const [client, neighbour] = [
        `2001:db8::${randomBytes(2).toString('hex')}`,
        `2001:db8:1::${randomBytes(2).toString('hex')}`,
      ];
      const join = (forwarded: string) =>
        send(`${url}/v1/users`, { method: 'POST', headers: { 'x-forwarded-for': forwarded } });

      const answers: Answer[] = [];
      for (let index = 0; index < 2 * LIMIT; index++) answers.push(await join(`203.0.113.${index}, ${client}`));

      expect(tally(answers)).toEqual({ 201: LIMIT, '429 rate-limited': LIMIT });
      expect(tally([await join(neighbour)])).toEqual({ 201: 1 });
    },
  );
});

test('an instance that is stopped writes the heartbeats that it has in memory', async () => {
  const instance = await world.start();
  const concert = await world.openHall({ activeMax: 1 });
  const fans = await world.fans(FAR_POSITION + 2, { doors: [instance] });
  const polling = fans.pop() as Client;
  await inParallel(fans, 20, (fan) => fan.join(concert));
  const { sequence = Number.NaN } = (await polling.join(concert)).body;
  const at = (sequence - 1) * LAST_SEEN_BYTES;
  const lastSeen = async () =>
    (await redis.getrangeBuffer(queueKey(concert, 'last-seen'), at, at + LAST_SEEN_BYTES - 1)).readUInt32BE();

  let before = 0;
  await until('a poll is answered from memory', async () => {
    await passAtQueue(redis, concert, 2_000);
    before = await lastSeen();
    await polling.poll();
    return (await lastSeen()) === before;
  });
  await instance.end('SIGTERM');
  expect(await lastSeen()).toBeGreaterThan(before);
});

// The last tests of this file: they end instances of the tests above.
describe('an instance that is stopped', () => {
  test.each([
    ['SIGTERM', limited],
    ['SIGINT', one],
  ] as const)('by %s finishes its requests, accepts no new ones, and exits', async (signal, instance) => {
    const fan = await world.fan({ doors: [instance] });
    // Opened ahead, and nobody has ever asked for anything on it.
    const ahead = connect(Number(new URL(instance.url).port), '127.0.0.1');
    await once(ahead, 'connect');
    // It came later, so the one before it was accepted.
    expect((await fetch(`${instance.url}/livez`)).status).toBe(200);
    const blocker = await world.pool.connect();
    await blocker.query('BEGIN');
    await blocker.query('SELECT FROM wallets WHERE user_id = $1 FOR UPDATE', [fan.userId]);
    const underWay = fan.charge(1);
    await until('the charge waits for the wallet', async () => {
      const { rows } = await world.pool.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return rows.length === 1;
    });

    const ended = instance.end(signal);
    await until('the instance is not ready any more', async () => {
      const answer = await fetch(`${instance.url}/readyz`).catch(() => undefined);
      return answer === undefined || answer.status === 503;
    });
    await blocker.query('COMMIT');
    blocker.release();

    expect(tally([await underWay])).toEqual({ 201: 1 });
    // An instance that waited for something else would be ended by its time limit, minutes later, with another code.
    expect(await ended).toEqual({ code: 0, signal: null });
    ahead.destroy();
    expect(await contradictions(world.pool)).toEqual([]);
  });
});
