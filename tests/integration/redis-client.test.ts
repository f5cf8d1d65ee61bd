import { setImmediate as turn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, expect, inject, test } from 'vitest';
import { connectRedis } from '#adapters/redis/client.ts';
import { guarded } from '#adapters/redis/failures.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { until } from '#tests/support/until.ts';

const LIMIT_MS = 100;
const { redis, close } = await connectRedis({ url: inject('redisUrl'), commandTimeoutMs: LIMIT_MS }, (error) => {
  throw error;
});
afterAll(close);
const own = await ownRedis();

/** Keeps Redis busy for as long as given, then answers `done`. */
const WORK = `
  local function now() local time = redis.call('TIME') return time[1] * 1000 + time[2] / 1000 end
  local ends = now() + ARGV[1]
  while now() < ends do end
  return 'done'`;

test('a process too busy to read an answer that came in time does not take it for a failure', async () => {
  const answer = redis.eval(WORK, 0, LIMIT_MS / 5);
  // Commands go out when the loop has turned.
  await turn();
  await turn();

  const busyUntil = performance.now() + 3 * LIMIT_MS;
  while (performance.now() < busyUntil);

  await expect(answer).resolves.toBe('done');
});

test('what a crowd asks goes out while the rest of it is still being read', async () => {
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

test('a command that is not answered in time fails', async () => {
  await expect(redis.eval(WORK, 0, 2 * LIMIT_MS)).rejects.toThrow('Command timed out');
});

test('a primary that was turned into a replica is left, and the command that found out fails', async () => {
  const operator = new Redis(own.url);
  const connection = await connectRedis({ url: own.url, commandTimeoutMs: 2_000 }, () => {});
  const idOf = () => connection.redis.client('ID');
  const first = await idOf();

  await operator.replicaof('127.0.0.1', '1');
  await expectRefusal(
    guarded(() => connection.redis.incr('count')),
    'unavailable',
  );
  await operator.replicaof('NO', 'ONE');

  await until('there is another connection', () =>
    idOf()
      .then((id) => id !== first)
      .catch(() => false),
  );
  expect(await connection.redis.incr('count')).toBe(1);
  await connection.close();
  operator.disconnect();
});

test('a Redis that says nothing any more is given up, and tried anew until it answers', async () => {
  const connection = await connectRedis({ url: own.url, commandTimeoutMs: 50 }, () => {});
  const increment = () => guarded(() => connection.redis.incr('count'));
  let heard = '';
  await connection.subscribe('news', (message) => {
    heard = message;
  });

  own.freeze();
  await until('the connection is given up', () =>
    increment().then(
      () => false,
      () => connection.redis.status !== 'ready',
    ),
  );
  own.thaw();

  await until('it answers', () => increment().then(Boolean, () => false));
  await until('the subscription is there again', async () => {
    await connection.redis.publish('news', 'heard');
    return heard === 'heard';
  });
  await connection.close();
});

test('what is still being sent when the connection is closed is refused, and no loss is told', async () => {
  const told: Error[] = [];
  for (let round = 0; round < 50; round++) {
    const connection = await connectRedis({ url: own.url, commandTimeoutMs: 2_000 }, (error) => told.push(error));
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
