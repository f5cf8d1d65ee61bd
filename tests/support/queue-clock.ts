import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { queueKey } from '#adapters/redis/keys.ts';
import { memberOf } from '#adapters/redis/queue/member.ts';
import type { ConcertId, UserId } from '#domain/ids.ts';
import { until } from './until.ts';

/** As in queue/lua/shared.lua. */
const STANDSTILL_MS = 3_000;

const PASS = `
redis.call('HINCRBY', KEYS[1], 'offset', ARGV[1])
if redis.call('HEXISTS', KEYS[1], 'served') == 1 then
  redis.call('HINCRBY', KEYS[1], 'served', ARGV[1])
end`;

/** Lets time pass in a queue that is served, instead of waiting. */
export async function passAtQueue(redis: RedisClient, concertId: ConcertId, milliseconds: number): Promise<void> {
  await redis.eval(PASS, 1, queueKey(concertId, 'clock'), milliseconds);
}

/** The clock of Redis is this much further, or further back, than a moment ago: a step, or time in which no instance served. */
export async function stepClock(redis: RedisClient, concertId: ConcertId, milliseconds: number): Promise<void> {
  await redis.hincrby(queueKey(concertId, 'clock'), 'offset', milliseconds);
}

/** Waits until time stands still in a queue, as no instance has served it lately. */
export async function untilStandstill(redis: RedisClient, concertId: ConcertId): Promise<void> {
  await until('no instance serves the queue', async () => {
    const [[seconds], [served, offset]] = await Promise.all([
      redis.time(),
      redis.hmget(queueKey(concertId, 'clock'), 'served', 'offset'),
    ]);
    return Number(seconds) * 1_000 + Number(offset) > Number(served) + STANDSTILL_MS;
  });
}

/** The session of this user has run out just now, and nothing else has changed. */
export async function endSession(redis: RedisClient, concertId: ConcertId, userId: string): Promise<void> {
  await redis.zadd(queueKey(concertId, 'active'), 'XX', 1, memberOf(userId as UserId));
}

/** The time that a line which was lost waits for those who were in it is over. */
export async function endRebuild(redis: RedisClient, concertId: ConcertId): Promise<void> {
  await redis.hset(queueKey(concertId, 'rebuild'), 'until', 1);
}
