import Redlock from 'redlock';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { lockKeys } from '#adapters/redis/keys.ts';
import type { Lock } from '#ports/booking/lock.ts';

/**
 * Limits a lock: far longer than the work usually takes. If it expires earlier, Postgres still decides. A crashed holder
 * blocks a seat this long.
 */
const LOCK_TTL_MS = 5_000;
/** Retries for about 300 ms in all: a repeated command waits for the first one, another user is soon refused. */
const RETRIES_MAX = 5;
const RETRY_DELAY_MS = 60;
const RETRY_JITTER_MS = 40;

/**
 * Uses Redlock 4, which frees partial locks between attempts and checks a lock's validity.
 *
 * It reports a lock that is taken and a server that fails with the same error, and tells failures only in events of the
 * whole instance. So each acquisition gets a cheap instance of its own, which tells them apart.
 *
 * @param onLost is called when work runs without a lock because Redis is unavailable
 */
export function redisLock(redis: RedisClient, onLost: (error: Error) => void, ttlMs = LOCK_TTL_MS): Lock {
  // The types of redlock 4 expect ioredis 4, whose eval and evalsha take the same arguments.
  const server = redis as unknown as Redlock.CompatibleRedisClient;

  return {
    async during(seats, work) {
      const redlock = new Redlock([server], {
        retryCount: RETRIES_MAX,
        retryDelay: RETRY_DELAY_MS,
        retryJitter: RETRY_JITTER_MS,
      });
      let failure: Error | undefined;
      redlock.on('clientError', (error: Error) => {
        failure = error;
      });

      const held = await redlock.lock(lockKeys(seats), ttlMs).catch((error: unknown) => {
        if (error instanceof Redlock.LockError) return undefined;
        throw error;
      });
      if (held === undefined && failure === undefined) return { contended: true };
      if (held === undefined && failure !== undefined) onLost(failure);
      try {
        return { contended: false, value: await work() };
      } finally {
        // Without a release the lock expires; the work's outcome stands.
        await held?.unlock().catch(() => undefined);
      }
    },
  };
}
