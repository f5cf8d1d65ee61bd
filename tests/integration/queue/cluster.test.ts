import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Cluster } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { connectRedis, type RedisConnection } from '#adapters/redis/client/connect-redis.ts';
import { guarded } from '#adapters/redis/client/failures.ts';
import { redisEventStream } from '#adapters/redis/events/event-stream.ts';
import { holdKeys, queueKey, queueKeys } from '#adapters/redis/keys.ts';
import { redisCommandCounts } from '#adapters/redis/limits/command-counts.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { redisHoldKeys } from '#adapters/redis/seats/redis-hold-keys.ts';
import { redisLock } from '#adapters/redis/seats/redis-lock.ts';
import { redisServersOf } from '#config/redis-servers.ts';
import { type ConcertId, concertId, userId } from '#domain/ids.ts';
import { eventStreamContract } from '#tests/contracts/event-stream-contract.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { holdKeysContract } from '#tests/contracts/hold-keys-contract.ts';
import { lockContract } from '#tests/contracts/lock-contract.ts';
import { queueContract } from '#tests/contracts/queue-contract.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { contradictions } from '#tests/support/books.ts';
import { type Answer, tally } from '#tests/support/client/client.ts';
import { expectUnreachable } from '#tests/support/expect-unreachable.ts';
import { DATE, PRICE } from '#tests/support/hall.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { ownCluster } from '#tests/support/own-cluster.ts';
import { passAtQueue } from '#tests/support/queue-clock.ts';
import { readStream } from '#tests/support/read-stream.ts';
import { passAtSeats } from '#tests/support/seat-clock.ts';
import { until } from '#tests/support/until.ts';
import { letIn, startWorld } from '#tests/support/world.ts';

const RATE_LIMIT = 20;
const HOURLY = { command: 'POST /seats', windowMs: 3_600_000 };

const cluster = await ownCluster();
const servers = redisServersOf(cluster.url);
const connection = await openRedis(servers);
const { redis } = connection;
const world = await startWorld({
  instances: 2,
  redisUrl: cluster.url,
  settings: { RATE_LIMIT_PER_MINUTE: String(RATE_LIMIT) },
});

/** Longer than a test can take. */
const TTL_MS = 300_000;

describe('in a cluster', () => {
  lockContract(() => redisLock(redis, raise, TTL_MS));
  holdKeysContract(() => ({
    holdKeys: redisHoldKeys(redis, TTL_MS),
    acquiredTtlMs: TTL_MS,
    passes: (seats, milliseconds) => passAtSeats(redis, seats, milliseconds),
  }));
  queueContract(() => ({
    queue: redisQueue(redis, looseQueueRecords(), { rebuildSeconds: 60 }),
    passes: (concert, milliseconds) => passAtQueue(redis, concert, milliseconds),
  }));
  eventStreamContract({
    eventStream: redisEventStream(redis, { lengthMax: 100_000 }),
    published: () => readStream(redis),
  });
});

test('counts concurrent commands of many clients, on whichever nodes their keys are', async () => {
  const clients = Array.from({ length: 200 }, () => randomUUID());
  const count = redisCommandCounts(redis);
  const all = await Promise.all([...clients, ...clients].map((client) => count(client, HOURLY)));
  expect(all.map(({ count }) => count)).toEqual([...clients.map(() => 1), ...clients.map(() => 2)]);
});

const masterOfLine = (concert: ConcertId) => cluster.masterOf(queueKey(concert, 'waiting'));

/** One concert per master, made by trying. */
async function concertPerMaster(make: () => Promise<ConcertId>): Promise<ConcertId[]> {
  const found = new Map<unknown, ConcertId>();
  while (found.size < cluster.masters.length) {
    const concert = await make();
    found.set(await masterOfLine(concert), concert);
  }
  return [...found.values()];
}

describe('two instances on a cluster', () => {
  test('sell seats of concerts whose queues are on different masters', async () => {
    for (const concert of await concertPerMaster(() => world.openHall({ activeMax: 1 }))) {
      const [buyer, next] = await world.fans(2, { balance: PRICE });
      await letIn([buyer], concert);
      expect((await next.join(concert)).body).toMatchObject({ status: 'WAITING', position: 1 });
      const reservation = await buyer.hold(1, 2);
      expect((await buyer.pay(reservation)).status).toBe(402);
      await buyer.charge(PRICE);
      expect((await buyer.pay(reservation)).status).toBe(201);
      await next.untilActive();
      expect(tally([await next.reserve([2])])).toEqual({ '409 seat-taken': 1 });
      await until('the hold key of a sold seat is gone', async () => {
        return (await redis.exists(...holdKeys({ concertId: concert, date: DATE, seatNumbers: [1] }))) === 0;
      });
    }
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('count the commands of a user together', async () => {
    const fan = await world.fan();
    const answers: Answer[] = [];
    for (let sent = 0; sent < RATE_LIMIT + 5; sent++) answers.push(await fan.charge(1));
    expect(tally(answers)).toEqual({ 201: RATE_LIMIT, '429 rate-limited': 5 });
  });
});

describe('a message published on any node', () => {
  test('reaches its subscriber, also after the connection was lost', async () => {
    const channel = `test:${randomUUID()}`;
    const heard: string[] = [];
    const listener = await connectRedis({ ...servers, commandTimeoutMs: 60_000 }, () => {});
    const subscription = await listener.subscribe(channel, (message) => heard.push(message));
    const publishOnEach = () =>
      Promise.all(cluster.masters.map(({ redis: master, port }) => master.publish(channel, String(port))));
    const everyPort = cluster.masters.map(({ port }) => String(port)).sort();

    await publishOnEach();
    await until('all messages arrive', () => heard.length >= everyPort.length);
    expect(heard.toSorted()).toEqual(everyPort);

    const listeners = () => Promise.all(cluster.masters.map(({ redis: master }) => master.pubsub('NUMSUB', channel)));
    const listening = async () => (await listeners()).reduce((sum, [, count]) => sum + Number(count), 0);
    expect(await listening()).toBe(1);
    for (const { redis: master } of cluster.masters) await master.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until('no subscription is left', async () => (await listening()) === 0);
    await until('a subscription is back', async () => (await listening()) === 1);
    heard.length = 0;
    await redis.publish(channel, 'again');
    await until('the message arrives', () => heard.includes('again'));

    await subscription.stop();
    await until('no subscription is left', async () => (await listening()) === 0);
    await listener.close();
  });
});

describe('a queue', () => {
  const queue = redisQueue(redis, looseQueueRecords(), { rebuildSeconds: 60 });
  const join = (concert: ConcertId) => queue.join(concert, userId(randomUUID()), { waitingMax: 100, opening: 'fifo' });

  test('continues where it was when its slot moves to another master', async () => {
    const concert = concertId(randomUUID());
    const { entry } = await join(concert);
    const source = await masterOfLine(concert);
    const target = cluster.masters.find((master) => master !== source);
    if (target === undefined) throw new RangeError('a cluster of one');

    await cluster.move(queueKeys(concert) as [string, ...string[]], target);

    expect(await masterOfLine(concert)).toBe(target);
    expect((await join(concert)).entry.sequence).toBe(2);
    expect(await queue.find(entry)).toMatchObject({ status: 'WAITING', position: 1 });
  });

  test('is unavailable while its master is frozen, other queues continue, and it recovers', async () => {
    const LIMIT_MS = 200;
    const hasty = await connectRedis({ ...servers, commandTimeoutMs: LIMIT_MS }, () => {});
    const room = redisQueue(hasty.redis, looseQueueRecords(), { rebuildSeconds: 60 });
    const concerts = await concertPerMaster(async () => concertId(randomUUID()));
    const read = (concert: ConcertId) => room.read(concert);
    const [frozen, ...others] = concerts as [ConcertId, ...ConcertId[]];
    const master = await masterOfLine(frozen);

    master.freeze();
    try {
      await expectRefusal(read(frozen), 'unavailable');
      for (const other of others)
        await until('the other queues continue', () => read(other).then(Boolean, () => false));
      await expectRefusal(hasty.ping(), 'unavailable');
    } finally {
      master.thaw();
    }
    await until('it is back', () => read(frozen).then(Boolean, () => false));
    await until('all of them are', () => pings(hasty));
    await hasty.close();
  });
});

test('an interrupted command, which may have run, is not sent again', async () => {
  const patient = await connectRedis({ ...servers, commandTimeoutMs: 60_000 }, () => {});
  const key = `test:${randomUUID()}`;
  const master = await cluster.masterOf(key);
  if (!(patient.redis instanceof Cluster)) throw new TypeError('no cluster');
  const node = patient.redis.nodes('master').find(({ options }) => options.port === master.port);
  const id = await node?.client('ID');
  node?.client('REPLY', 'OFF').catch(() => {});

  const refused = expectRefusal(
    guarded(() => patient.redis.incr(key)),
    'unavailable',
  );
  await until('the command has run', async () => (await redis.get(key)) === '1');
  await master.redis.call('CLIENT', 'KILL', 'ID', String(id));
  await refused;

  await until('the node answers again', () => patient.redis.get(key).then(Boolean, () => false));
  expect(await redis.get(key)).toBe('1');
  await patient.close();
});

test('a client that has lost all nodes at once finds them again', async () => {
  const lonely = await connectRedis({ ...servers, commandTimeoutMs: 60_000 }, () => {});
  if (!(lonely.redis instanceof Cluster)) throw new TypeError('no cluster');
  const drained = once(lonely.redis, 'close');
  for (const node of lonely.redis.nodes()) node.stream.destroy();
  await drained;
  await until('all of them are back', () => pings(lonely));
  expect(lonely.redis.nodes('master')).toHaveLength(cluster.masters.length);
  await lonely.close();
});

test('a cluster is not ready if a single master may evict keys', async () => {
  const [, , careless] = cluster.masters;
  await connection.ping();
  await careless?.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await expect(connection.ping()).rejects.toThrow('maxmemory-policy must be noeviction, not allkeys-lru');
  await careless?.redis.config('SET', 'maxmemory-policy', 'noeviction');
});

describe('an unreachable cluster', () => {
  test('refuses every command as unavailable, at once, and can be disconnected', async () => {
    const servers = { cluster: [{ host: '127.0.0.1', port: 1 }], tls: false, commandTimeoutMs: 1_000 };
    await expectUnreachable(await connectRedis(servers, () => {}));
  });
});

const pings = (connection: RedisConnection) =>
  connection.ping().then(
    () => true,
    () => false,
  );

function raise(error: Error): never {
  throw error;
}
