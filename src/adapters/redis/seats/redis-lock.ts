import Redlock from 'redlock';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { lockKeys } from '#adapters/redis/keys.ts';
import type { Lock } from '#ports/booking/lock.ts';

/** Far longer than the work takes as a rule. Should it run out before, Postgres still decides; a crashed holder blocks a seat no longer than this. */
const LOCK_TTL_MS = 5_000;
/** Some 300 ms in all: a repetition waits out the command it repeats, a stranger is soon told that the seat is taken. */
const RETRIES_MAX = 5;
const RETRY_DELAY_MS = 60;
const RETRY_JITTER_MS = 40;

/**
 * Redlock 4: it frees partial locks between attempts and checks a lock's validity before handing it out.
 *
 * It reports "somebody else has it" and "no server answered" by the same error and names the failures only in events of
 * the whole instance. So each acquisition gets an instance of its own, which costs little, and is told apart by them.
 *
 * @param onLost is called when work is done without a lock because Redis could not be reached.
 */
export function redisLock(redis: RedisClient, onLost: (error: Error) => void): Lock {
  // The types of redlock 4 know ioredis 4, whose eval and evalsha take the same arguments.
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

      const held = await redlock.lock(lockKeys(seats), LOCK_TTL_MS).catch((error: unknown) => {
        if (error instanceof Redlock.LockError) return undefined;
        throw error;
      });
      if (held === undefined && failure === undefined) return { contended: true };
      if (held === undefined && failure !== undefined) onLost(failure);
      try {
        return { contended: false, value: await work() };
      } finally {
        // Released too late or not at all, it runs out by itself; the work's outcome stands either way.
        await held?.unlock().catch(() => undefined);
      }
    },
  };
}
