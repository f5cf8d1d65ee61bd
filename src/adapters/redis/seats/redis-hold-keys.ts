import { batched } from '#adapters/memory/batch.ts';
import { guarded } from '#adapters/redis/client/failures.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { answeredKey, holdKeys } from '#adapters/redis/keys.ts';
import { run, scripts } from '#adapters/redis/scripts.ts';
import type { Hold, SeatSet } from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import type { IdempotencyKey } from '#domain/idempotency.ts';
import type { Acquired, HoldKeys } from '#ports/booking/hold-keys.ts';

/** Limits the keys of a running command. A crash between keys and hold blocks the seat this long. */
export const ACQUIRED_TTL_MS = 10_000;
/** As long as Postgres keeps the answer. */
const ANSWERED_TTL_MS = 24 * 3_600_000;
/** Bounds one run of the script. Redis works on a batch while the next one is being read. */
const BATCH_MAX = 64;

type Wanted = { readonly hold: Hold; readonly request: IdempotencyKey };

export function redisHoldKeys(redis: RedisClient, acquiredTtlMs = ACQUIRED_TTL_MS): HoldKeys {
  const acquireTogether = batched(
    ({ concertId, date }: SeatSet) => `${concertId} ${date}`,
    async (_, wanted: readonly Wanted[]) => {
      const keys = wanted.flatMap(({ hold, request }) => [answeredKey(hold, request), ...holdKeys(hold)]);
      const commands = wanted.flatMap(({ hold }) => [hold.userId, holderOf(hold), hold.seatNumbers.length]);
      return outcomesIn(await run(redis, scripts.acquire, keys, { ttlMs: acquiredTtlMs }, commands));
    },
    BATCH_MAX,
  );

  return {
    async acquire(hold, request) {
      const outcome = await acquireTogether(hold, { hold, request });
      if (typeof outcome === 'string') return outcome;
      throw new Refusal('seat-taken', { seatNumbers: hold.seatNumbers.filter((_, i) => outcome.includes(i + 1)) });
    },

    async prolong(hold, milliseconds) {
      await run(redis, scripts.prolong, holdKeys(hold), { holder: holderOf(hold), ttlMs: milliseconds });
    },

    async putBack(hold, milliseconds = acquiredTtlMs) {
      const ttlMs = Math.min(acquiredTtlMs, Math.ceil(milliseconds));
      const set = holdKeys(hold).map((key) => redis.set(key, holderOf(hold), 'PX', ttlMs, 'NX'));
      return (await guarded(() => Promise.all(set))).includes('OK');
    },

    async keep(hold, milliseconds) {
      await run(redis, scripts.keep, holdKeys(hold), { holder: holderOf(hold), ttlMs: milliseconds });
    },

    async remember(hold, request) {
      await guarded(() => redis.set(answeredKey(hold, request), '1', 'PX', ANSWERED_TTL_MS));
    },

    async release(hold) {
      await run(redis, scripts.release, holdKeys(hold), { holder: holderOf(hold) });
    },
  };
}

/** The outcome of each command, or the indices of its taken seats, from 1, as acquire.lua replies them. */
function outcomesIn(reply: readonly number[]): (Acquired | readonly number[])[] {
  const outcomes: (Acquired | readonly number[])[] = [];
  let at = 0;
  while (at < reply.length) {
    const outcome = reply[at++] ?? 0;
    const taken = reply.slice(at, at + Math.max(0, outcome));
    at += taken.length;
    outcomes.push(taken.length > 0 ? taken : outcome === 0 ? 'acquired' : 'repeated');
  }
  return outcomes;
}

/** The value of a hold key. It names the reservation, so that the end of an older one deletes no key of a newer one. */
export function holderOf({ userId, reservationId }: Pick<Hold, 'userId' | 'reservationId'>): string {
  return `${userId}:${reservationId}`;
}
