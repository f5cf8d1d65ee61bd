import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { holdKeys } from '#adapters/redis/keys.ts';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { contradictions, holdings } from '#tests/support/books.ts';
import { type Answer, type Client, send, tally } from '#tests/support/client/client.ts';
import { DATE, PRICE } from '#tests/support/hall.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { until } from '#tests/support/until.ts';
import { letIn, startWorld } from '#tests/support/world.ts';

const redis = await ownRedis();
// Asked while Redis does not answer, and for as long only: with such a timeout a slow machine may fail to answer by itself.
const world = await startWorld({ redisUrl: redis.url, settings: { REDIS_COMMAND_TIMEOUT_MS: '250' } });
/** Asked before and afterwards. */
const patient = await world.start({ REDIS_COMMAND_TIMEOUT_MS: '10000' });

/**
 * Ready or degraded, never 503: Redis away is no reason to send people elsewhere, as they would find it away there too, and a
 * load balancer that gave up on every instance would keep payers out.
 */
const everyInstanceIs = (state: 'ready' | 'degraded') =>
  until(`every instance says that it is ${state}`, async () => {
    const answers = await Promise.all(world.instances.map(({ url }) => send(`${url}/readyz`)));
    return answers.every(({ status, body }) => status === 200 && body.status === state);
  });

/** What each instance shows of the seats. */
const readByAll = (fan: Client, concert: string, headers: Readonly<Record<string, string>> = {}) =>
  Promise.all(
    world.instances.map(({ url }) =>
      send(`${url}/v1/concerts/${concert}/dates/${DATE}/seats`, { headers: { ...fan.inQueue, ...headers } }),
    ),
  );

/** All commands that Redis has executed, those of scripts included. */
async function executed(): Promise<readonly string[]> {
  const client = new Redis(redis.url);
  const statistics = await client.info('commandstats');
  client.disconnect();
  return [...statistics.matchAll(/^cmdstat_([^:]+):/gm)].map(([, command = '']) => command);
}

async function onRecord(concert: string): Promise<string> {
  const { rows } = await world.pool.query<{ count: string; kind: string }>(
    'SELECT count(*), kind FROM queue_events WHERE concert_id = $1 GROUP BY kind ORDER BY kind',
    [concert],
  );
  return rows.map(({ count, kind }) => `${count} ${kind}`).join(', ');
}

// The first test here, of what a Redis is asked for by nobody else.
test('from joining to paying no command scans all keys, or all members of one', async () => {
  const concert = await world.openHall({ activeMax: 1 });
  const [fan, next] = await world.fans(2, { balance: 2 * PRICE, doors: [patient] });
  await letIn([fan], concert);
  await next.join(concert);
  await next.poll();
  expect((await fan.seats(concert)).status).toBe(200);
  const reservation = await fan.hold(1);
  expect((await next.reserve([1])).status).toBe(403);
  expect((await fan.pay(reservation)).status).toBe(201);
  await next.untilActive();
  await next.hold(2);
  await next.leave();

  const commands = await executed();
  expect(commands).toEqual(expect.arrayContaining(['evalsha', 'zadd', 'zrem', 'incrby']));
  expect(commands.filter((command) => /^(keys|[hsz]?scan|smembers|hgetall|hkeys|hvals|sort)$/.test(command))).toEqual(
    [],
  );
});

describe.each([
  ['away', redis.kill, redis.restart],
  ['frozen', async () => redis.freeze(), async () => redis.thaw()],
] as const)('while Redis is %s', (_, take, giveBack) => {
  afterEach(giveBack);

  test('nobody joins or reserves, active users read, pay and release, and the service recovers by itself', async () => {
    const concert = await world.openHall({ activeMax: 6 });
    const doors = [patient];
    const fans = await world.fans(7, { balance: 2 * PRICE, doors });
    const [payer, holder, browser, leaver, doubter, rejoiner, late] = fans;
    await letIn([payer, holder, browser, doubter, rejoiner], concert);
    const formerToken = rejoiner.token;
    await rejoiner.leave();
    await letIn([leaver, await world.fan({ doors })], concert);
    expect((await rejoiner.join(concert)).body.status).toBe('WAITING');
    const [toPay, toRelease, toRefund] = [await payer.hold(1), await holder.hold(2), await doubter.hold(3)];
    await until('everything is on record', async () => (await onRecord(concert)) === '7 admitted, 1 ended');

    await until(
      'one of the two has seen who is in',
      async () => (await readByAll(browser, concert))[0]?.status === 200,
    );

    await take();
    doors.splice(0, 1, ...world.instances);
    await everyInstanceIs('degraded');

    const refused = await Promise.all([
      late.join(concert),
      browser.poll(),
      browser.reserve([4]),
      leaver.leave(),
      rejoiner.call('GET', `/v1/concerts/${concert}/dates`),
      ...(await readByAll(rejoiner, concert)),
      ...(await readByAll(rejoiner, concert, { 'queue-token': formerToken })),
    ]);
    expect(tally(refused)).toEqual({ '503 unavailable': refused.length });
    for (const { headers } of refused) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);

    const served: Answer[] = [
      await browser.call('GET', `/v1/concerts/${concert}/dates`),
      ...(await readByAll(browser, concert)),
      await holder.extend(toRelease),
      await payer.pay(toPay),
      await doubter.pay(toRefund),
      await doubter.cancel(toRefund),
      await browser.charge(PRICE),
      await holder.release(toRelease),
      await holder.call('GET', '/v1/reservations'),
      await payer.call('GET', '/v1/payments'),
      await browser.call('GET', `/v1/concerts/${concert}`),
    ];
    expect(served.map(({ status }) => status)).toEqual([200, 200, 200, 201, 201, 201, 201, 201, 204, 200, 200, 200]);
    const [seats] = await readByAll(browser, concert);
    expect(seats?.body.items?.slice(0, 3).map(({ status }) => status)).toEqual(['SOLD', 'AVAILABLE', 'AVAILABLE']);
    // Paying has ended the session: that is in Postgres.
    expect(tally(await readByAll(payer, concert))).toEqual({ '503 unavailable': world.instances.length });
    expect(await browser.balance()).toBe(3 * PRICE);
    expect(await holdings(world.pool, payer.userId)).toEqual({ balance: PRICE, payments: 1, seats: 1 });
    expect(await holdings(world.pool, doubter.userId)).toEqual({ balance: 2 * PRICE, payments: 1, seats: 0 });

    await giveBack();
    await everyInstanceIs('ready');
    doors.splice(0, doors.length, patient);

    await rejoiner.untilActive();
    // A frozen Redis may have done what nobody waited for any more, so this may find a place.
    await until('a new user can join', async () => [200, 201].includes((await late.join(concert)).status));
    await late.untilActive();
    await until('the payment has ended the session', async () => (await payer.poll()).body.status === 'EXPIRED');
    await until(
      'the refunded payment has ended its session, too',
      async () => (await doubter.poll()).body.status === 'EXPIRED',
    );
    const client = new Redis(redis.url);
    const marks = holdKeys({ concertId: concert, date: DATE, seatNumbers: [1, 2, 3] });
    await until('the hold keys are gone', async () => (await client.exists(...marks)) === 0);
    client.disconnect();
    expect((await browser.reserve([2, 3])).status).toBe(201);
    expect(await contradictions(world.pool)).toEqual([]);
  });
});

describe('a Redis that was away, and then frozen', () => {
  auditAtTheEnd(world);
});
