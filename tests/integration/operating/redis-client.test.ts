import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { connectRedis, type RedisConnection } from '#adapters/redis/client/connect-redis.ts';
import { guarded } from '#adapters/redis/client/failures.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { until } from '#tests/support/until.ts';

/** Runs out only where Redis does not answer. */
const LIMIT_MS = 250;
const NEVER_MS = 60_000;
const ROUNDS = 20;
const { redis } = await openRedis();
const own = await ownRedis();
const operator = new Redis(own.url);
operator.on('error', () => {});
afterAll(() => operator.disconnect());
const connect = async (commandTimeoutMs: number): Promise<RedisConnection> => {
  const connection = await connectRedis({ url: own.url, commandTimeoutMs }, () => {});
  await until('the connection is ready', () => connection.redis.status === 'ready');
  return connection;
};

/** Asks a Redis when the flag says 1, and says 2 when it was answered. */
const ASK = `const { flag, port } = require('node:worker_threads').workerData;
  const say = (number) => { Atomics.store(flag, 0, number); Atomics.notify(flag, 0); };
  const socket = require('node:net').connect(port, '127.0.0.1', () => {
    say(0);
    Atomics.wait(flag, 0, 0);
    socket.write('PING\\r\\n');
  });
  socket.once('data', () => { say(2); socket.destroy(); });`;

test('an answer that arrived in time does not fail, though the process was too busy to read it', async () => {
  const { redis: hasty, close } = await connect(LIMIT_MS);
  const flag = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
  const asker = new Worker(ASK, { eval: true, workerData: { flag, port: new URL(own.url).port } });
  await until('another client is connected', () => Atomics.load(flag, 0) === 0);

  const answer = hasty.ping();
  // Commands go out when the loop has turned. From then on it does not turn until the limit has passed, and Redis, which
  // answers in the order in which it is asked, has answered the other client.
  await turn();
  const limit = performance.now() + 2 * LIMIT_MS;
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
  Atomics.wait(flag, 0, 1);
  while (performance.now() < limit);

  await expect(answer).resolves.toBe('PONG');
  await close();
  await asker.terminate();
});

test('commands of a crowd are sent while more of it is being read', async () => {
  const { stream } = redis as Redis;
  const mostBytes = 2_000;
  const answers: Promise<unknown>[] = [];
  const waiting: number[] = [];
  for (let asked = 0; asked < 2_000; asked++) {
    answers.push(redis.get(`nobody:${asked}`));
    waiting.push(stream.writableLength);
  }
  await Promise.all(answers);
  expect(Math.max(...waiting)).toBeLessThan(mostBytes);
});

test('a command without an answer in time fails', async () => {
  const { redis: hasty, close } = await connect(LIMIT_MS);
  own.freeze();
  await expect(hasty.ping()).rejects.toThrow('Command timed out').finally(own.thaw);
  await close();
});

test('a primary that became a replica is left, and the command that noticed fails', async () => {
  const connection = await connect(NEVER_MS);
  const first = await connection.redis.client('ID');

  await operator.replicaof('127.0.0.1', '1');
  await expectRefusal(
    guarded(() => connection.redis.incr('count')),
    'unavailable',
  );
  await operator.replicaof('NO', 'ONE');

  let count: number | undefined;
  await until('commands succeed again', async () => {
    count = await connection.redis.incr('count').catch(() => undefined);
    return count !== undefined;
  });
  expect(count).toBe(1);
  expect(await connection.redis.client('ID')).not.toBe(first);
  await connection.close();
});

test('a silent Redis is disconnected, and reconnected until it answers', async () => {
  const connection = await connect(100);
  const increment = () => guarded(() => connection.redis.incr('count'));
  let heard = '';
  await connection.subscribe('news', (message) => {
    heard = message;
  });

  own.freeze();
  await until('the connection is closed', () =>
    increment().then(
      () => false,
      () => connection.redis.status !== 'ready',
    ),
  );
  own.thaw();

  await until('it answers', () => increment().then(Boolean, () => false));
  await until('the subscription is back', async () => {
    await connection.redis.publish('news', 'heard').catch(() => {});
    return heard === 'heard';
  });
  await connection.close();
});

test('commands being sent when the client is closed are refused, and no loss is reported', async () => {
  const told: Error[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const connection = await connectRedis({ url: own.url, commandTimeoutMs: NEVER_MS }, (error) => told.push(error));
    let isClosed = false;
    const late = (async () => {
      while (!isClosed) {
        const command = connection.redis.incr('late').catch(() => 0);
        await Promise.race([command, turn()]);
        await turn();
      }
    })();
    await connection.close();
    isClosed = true;
    await late;
  }
  expect(told).toEqual([]);
});
