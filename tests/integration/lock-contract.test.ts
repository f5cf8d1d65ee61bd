import { v7 as newId } from 'uuid';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { connectRedis } from '#adapters/redis/client.ts';
import { redisLock } from '#adapters/redis/lock.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import { lockContract } from '#tests/contracts/lock-contract.ts';

const { redis, close } = await connectRedis({ url: inject('redisUrl'), commandTimeoutMs: 5_000 }, raise);
afterAll(close);

lockContract(() => redisLock(redis, raise));

describe('a lock that cannot be reached', () => {
  it('lets the work be done without it, and reports that', async () => {
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
