import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { queueKey } from '#adapters/redis/keys.ts';
import { memberOf } from '#adapters/redis/queue/member.ts';
import type { ConcertId, UserId } from '#domain/ids.ts';

/** All times written down about a line, moved into the past at once. Of what is in whole seconds, whole seconds. */
const MOVE = `
local active, granted, away, recent, seen, pace, ms = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], ARGV[1]
for _, times in ipairs({ active, away, recent }) do
  for _, member in ipairs(redis.call('ZRANGE', times, 0, -1)) do
    redis.call('ZINCRBY', times, -ms, member)
  end
end
for offset = 0, redis.call('STRLEN', granted) - 6, 6 do
  local ends = struct.unpack('>I6', redis.call('GETRANGE', granted, offset, offset + 5))
  redis.call('SETRANGE', granted, offset, struct.pack('>I6', math.max(0, ends - ms)))
end
for offset = 0, redis.call('STRLEN', seen) - 4, 4 do
  local asked = struct.unpack('>I4', redis.call('GETRANGE', seen, offset, offset + 3))
  redis.call('SETRANGE', seen, offset, struct.pack('>I4', asked - math.floor(ms / 1000)))
end
if redis.call('HEXISTS', pace, 'at') == 1 then
  redis.call('HINCRBY', pace, 'at', -ms)
end`;

/** Lets time go by at a line, instead of waiting. */
export async function passAtQueue(redis: RedisClient, concertId: ConcertId, milliseconds: number): Promise<void> {
  const names = ['active', 'granted', 'absent', 'admissions', 'last-seen', 'pace'] as const;
  const keys = names.map((name) => queueKey(concertId, name));
  await redis.eval(MOVE, keys.length, ...keys, milliseconds);
}

/** The session of this user has run out just now, and nothing else has changed. */
export async function endSession(redis: RedisClient, concertId: ConcertId, userId: string): Promise<void> {
  await redis.zadd(queueKey(concertId, 'active'), 'XX', 1, memberOf(userId as UserId));
}

/** The time that a line which was lost waits for those who were in it is over. */
export async function endRebuild(redis: RedisClient, concertId: ConcertId): Promise<void> {
  await redis.hset(queueKey(concertId, 'rebuild'), 'until', 1);
}
