import { Redis } from 'ioredis';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { queueKey } from '#adapters/redis/keys.ts';
import { type Client, send } from '#tests/support/client/client.ts';
import { type EventStream, openStream } from '#tests/support/event-stream.ts';
import { PRICE } from '#tests/support/hall.ts';
import type { Instance } from '#tests/support/instance.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { passAtQueue } from '#tests/support/queue-clock.ts';
import { until } from '#tests/support/until.ts';
import { SHOP, startWorld } from '#tests/support/world.ts';

const own = await ownRedis();
const world = await startWorld({
  redisUrl: own.url,
  settings: { LOG_LEVEL: 'info', CORS_ORIGINS: SHOP, STREAM_HEARTBEAT_SECONDS: '1', SHUTDOWN_SECONDS: '300' },
});
const [here, there] = world.instances as [Instance, Instance];
/** Takes two streams only. */
const small = await world.start({ STREAMS_MAX: '2' });
const redis = new Redis(own.url);
redis.on('error', () => {});
afterAll(() => redis.disconnect());

const open: EventStream[] = [];
afterEach(() => {
  for (const stream of open.splice(0)) stream.close();
});

async function follow(fan: Client, instance: Instance = here, headers: Readonly<Record<string, string>> = {}) {
  const stream = await openStream(`${instance.url}/v1/queue/events`, { ...fan.inQueue, ...headers });
  open.push(stream);
  return stream;
}

const last = (stream: EventStream) => stream.events.at(-1)?.data;
const saysThat = (stream: EventStream, status: string) =>
  until(`the stream says ${status}`, () => last(stream)?.status === status);

/** So many join in turn; as many as fit are in. */
async function joinAll<Fans extends readonly Client[]>(concertId: string, fans: Fans): Promise<Fans> {
  for (const fan of fans) expect((await fan.join(concertId)).status).toBe(201);
  await fans[0]?.untilActive();
  return fans;
}

describe('a stream', () => {
  test('sends the queue status at once, then a new position, then the admission, then the end, and ends', async () => {
    const [first, second, third] = await joinAll(await world.openHall({ activeMax: 1 }), await world.fans(3));
    const stream = await follow(third);
    await until('the stream has begun', () => stream.events.length > 0);
    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(stream.headers.get('cache-control')).toBe('no-store');
    expect(stream.headers.get('x-accel-buffering')).toBe('no');
    expect(stream.headers.get('x-content-type-options')).toBe('nosniff');
    expect(last(stream)).toMatchObject({ userId: third.userId, status: 'WAITING', position: 2, aheadCount: 1 });

    await second.leave();
    await until('the position falls', () => last(stream)?.position === 1);
    await first.leave();
    await saysThat(stream, 'ACTIVE');
    await third.leave();
    await saysThat(stream, 'EXPIRED');
    await stream.ended;

    const ids = stream.events.map(({ lastEventId }) => lastEventId);
    expect(new Set(ids).size).toBe(ids.length);
    expect((await follow(third, there, { 'last-event-id': ids.at(-1) ?? '' })).status).toBe(204);
  });

  test('reports an admission at one instance when a session has ended at another', async ({ annotate }) => {
    const TURNS = 6;
    const fans = await joinAll(
      await world.openHall({ activeMax: 1 }),
      await world.fans(TURNS + 1, { doors: [there], balance: PRICE }),
    );
    const took: number[] = [];
    let stream = await follow(fans[1] as Client);
    for (let turn = 0; turn < TURNS; turn++) {
      const [leaving, next] = fans.slice(turn) as [Client, Client];
      const upNext = turn + 2 > TURNS ? undefined : await follow(fans[turn + 2] as Client);
      // Half of them pay, half leave.
      const reservation = turn % 2 === 0 ? await leaving.hold(turn + 1) : undefined;
      const asked = performance.now();
      expect((await (reservation === undefined ? leaving.leave() : leaving.pay(reservation))).status).toBeLessThan(300);
      await until('the admission arrives', () => last(stream)?.status === 'ACTIVE');
      expect(last(stream)?.userId).toBe(next.userId);
      took.push((stream.times.at(-1) ?? Number.NaN) - asked);
      stream = upNext ?? stream;
    }
    await annotate(`told of the turn after ${took.map(Math.round).join(', ')} ms`);
  });

  test('keeps an entry from being passed over, without a single poll', async () => {
    const concertId = await world.openHall({ activeMax: 1 });
    await world.pool.query('UPDATE concerts SET absent_seconds = 120 WHERE concert_id = $1', [concertId]);
    const [first, silent, listening] = await joinAll(concertId, await world.fans(3));
    const stream = await follow(listening);
    // Everybody has been silent for longer than anybody may, and then the one who listens no more.
    await passAtQueue(redis, concertId, 130_000);
    const seen = queueKey(concertId, 'last-seen');
    const lastSeen = async () => (await redis.getrangeBuffer(seen, 2 * 4, 3 * 4 - 1)).readUInt32BE();
    const before = await lastSeen();
    await until('the heartbeat is recorded', async () => (await lastSeen()) > before + 60);

    await first.leave();

    await saysThat(stream, 'ACTIVE');
    // Back by asking, and next: they were ahead.
    expect((await silent.poll()).body).toMatchObject({ status: 'WAITING', position: 1, sequence: 2 });
  });

  test('accepts the token in the query, too, and logs it nowhere', async () => {
    const [, fan] = await joinAll(await world.openHall({ activeMax: 1 }), await world.fans(2));
    const requestId = `events-${fan.userId}`;
    const url = `${here.url}/v1/queue/events?token=${fan.token}`;
    const stream = await openStream(url, { origin: SHOP, 'x-request-id': requestId });
    await until('the stream has begun', () => stream.events.length > 0);
    expect(last(stream)).toMatchObject({ userId: fan.userId, status: 'WAITING' });
    expect(stream.headers.get('access-control-allow-origin')).toBe(SHOP);
    expect(stream.headers.get('x-request-id')).toBe(requestId);
    stream.close();

    const linesOfIt = () => here.log().filter((line) => line.requestId === requestId);
    await until('its end is logged', () => linesOfIt().length > 0);
    expect(linesOfIt()).toMatchObject([
      { msg: 'answered', method: 'GET', path: '/v1/queue/events', status: 200, userId: fan.userId },
    ]);
    await openStream(`${here.url}/v1/queue/events?token=${fan.token}&token=${fan.token}`);
    await openStream(`${here.url}/v1/queue/nowhere?token=${fan.token}`);
    expect(JSON.stringify(here.log())).not.toContain(fan.token);
    expect(JSON.stringify(here.log())).not.toContain(fan.token.split('.')[2]);
  });

  test('is refused without a genuine token, in header or query', async () => {
    const fan = await world.fan();
    await fan.join(await world.openHall());
    const forged = `${fan.token.slice(0, -1)}${fan.token.endsWith('A') ? 'B' : 'A'}`;
    const statusOf = async (query: string, headers = {}) =>
      (await openStream(`${here.url}/v1/queue/events${query}`, headers)).status;
    expect(await statusOf('')).toBe(401);
    expect(await statusOf(`?token=${forged}`)).toBe(401);
    expect(await statusOf(`?token=${fan.token}`, { 'queue-token': forged })).toBe(401);
    const head = await fetch(`${here.url}/v1/queue/events?token=${fan.token}`, { method: 'HEAD' });
    expect(head.status).toBe(404);
  });

  test('that reconnects to another instance repeats nothing, and sends no larger position', async () => {
    const [, second, third] = await joinAll(await world.openHall({ activeMax: 1 }), await world.fans(3));
    const before = await follow(third);
    await until('the stream has begun', () => before.events.length > 0);
    before.close();

    const after = await follow(third, there, { 'last-event-id': before.events[0]?.lastEventId ?? '' });
    await until('the stream is open', () => after.comments.length > 0);
    expect(after.events.filter(({ data }) => data.position !== 2)).toEqual([]);
    expect(after.events.map(({ lastEventId }) => lastEventId)).not.toContain(before.events[0]?.lastEventId);
    await second.leave();
    await until('the position falls', () => last(after)?.position === 1);
  });
});

describe('streams', () => {
  test('survive an outage of Redis, and then send what has changed', async () => {
    const [first, second] = await joinAll(await world.openHall({ activeMax: 1 }), await world.fans(2));
    const stream = await follow(second);
    await until('the stream has begun', () => stream.events.length > 0);

    await own.kill();
    const refused = await follow(second, there);
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([503, true]);
    const heard = stream.comments.length;
    await until('comments keep coming', () => stream.comments.length > heard + 1);
    await own.restart();

    await until('the entry has left', async () => (await first.leave()).status === 204);
    await saysThat(stream, 'ACTIVE');
    // Each of them has found Redis again, for the tests that follow.
    await world.untilReady();
    await until('the other one is ready too', async () => {
      const { status, body } = await send(`${small.url}/readyz`);
      return status === 200 && body.status === 'ready';
    });
  });

  test('are limited: the next client gets 503, and polls', async () => {
    const fans = await joinAll(await world.openHall({ activeMax: 1 }), await world.fans(3));
    const streams = [await follow(fans[0], small), await follow(fans[1], small)];
    const refused = await fetch(`${small.url}/v1/queue/events`, { headers: fans[2].inQueue });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30']);
    expect(await refused.json()).toMatchObject({ code: 'busy', detail: expect.stringContaining('Poll GET /v1/queue') });
    expect((await fans[2].poll()).body.status).toBe('WAITING');

    streams[0]?.close();
    await until('there is room again', async () => (await follow(fans[2], small)).status === 200);
    for (const stream of [...streams, ...open]) stream.close();
    await Promise.all([...streams, ...open].map(({ ended }) => ended));
  });

  // The last test here: it ends the instances of the tests above.
  test.each([
    ['SIGINT', small, 2],
    ['SIGTERM', here, 20],
  ] as const)('end with a comment when the instance stops by %s', async (signal, instance, count) => {
    const fans = await joinAll(await world.openHall({ activeMax: 1 }), await world.fans(count, { doors: [there] }));
    const streams: EventStream[] = [];
    for (const fan of fans) {
      await until('there is a stream', async () => {
        const stream = await follow(fan, instance);
        if (stream.status === 200) streams.push(stream);
        return stream.status === 200;
      });
    }
    await until('all have begun', () => streams.every(({ events }) => events.length > 0));

    const ended = instance.end(signal);
    await Promise.all(streams.map((stream) => stream.ended));
    expect(streams.map(({ comments }) => comments.at(-1))).toEqual(streams.map(() => 'come back'));
    // Not at its own deadline, which would be a failure.
    expect(await ended).toEqual({ code: 0, signal: null });

    const [, next] = fans as [Client, Client];
    const elsewhere = await follow(next, there, { 'last-event-id': streams[1]?.events.at(-1)?.lastEventId ?? '' });
    expect(elsewhere.status).toBe(200);
  });
});
