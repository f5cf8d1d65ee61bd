import { v7 as newId } from 'uuid';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { connectRedis } from '#adapters/redis/client/connect-redis.ts';
import { lockKeys } from '#adapters/redis/keys.ts';
import { redisLock } from '#adapters/redis/seats/redis-lock.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import { lockContract } from '#tests/contracts/lock-contract.ts';

const { redis, close } = await connectRedis({ url: inject('redisUrl'), commandTimeoutMs: 60_000 }, raise);
afterAll(close);

/** Longer than a test can take. */
const TTL_MS = 600_000;

lockContract(() => redisLock(redis, raise, TTL_MS));

describe('an expired lock', () => {
  it('that another client has by then is not freed by its first holder', async () => {
    const lock = redisLock(redis, raise, TTL_MS);
    const seats = { concertId: concertId(newId()), date: concertDate('2027-05-01'), seatNumbers: [1] };
    const work = () => {
      const [began, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const outcome = lock.during(seats, () => {
        began.resolve();
        return end.promise;
      });
      return { began: began.promise, end: end.resolve, outcome };
    };
    const late = work();
    await late.began;
    await redis.del(lockKeys(seats));
    const current = work();
    await current.began;

    late.end();
    await late.outcome;
    expect(await lock.during(seats, async () => 'done')).toEqual({ contended: true });
    current.end();
    await current.outcome;
  });
});

describe('an unreachable lock', () => {
  it('lets the work run without it, and reports that', async () => {
    const away = await connectRedis({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 1_000 }, () => {});
    const lost: Error[] = [];
    const lock = redisLock(away.redis, (error) => lost.push(error));
    const seats = { concertId: concertId(newId()), date: concertDate('2027-05-01'), seatNumbers: [1] };
    expect(await lock.during(seats, async () => 'done')).toEqual({ contended: false, value: 'done' });
    expect(lost).toHaveLength(1);
    await away.close();
  });
});

function raise(error: Error): never {
  throw error;
}
