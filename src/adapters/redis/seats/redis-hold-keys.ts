import { batched } from '#adapters/memory/batch.ts';
import { guarded } from '#adapters/redis/client/failures.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { answeredKey, holdKeys } from '#adapters/redis/keys.ts';
import { run, scripts } from '#adapters/redis/scripts.ts';
import type { Hold, SeatSet } from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import type { RequestKey } from '#domain/idempotency.ts';
import type { Claim, HoldKeys } from '#ports/booking/hold-keys.ts';

/** Limits the keys of a running command. A crash between keys and hold blocks the seat this long. */
export const CLAIM_TTL_MS = 10_000;
/** As long as Postgres keeps the answer. */
const ANSWERED_TTL_MS = 24 * 3_600_000;
/** Bounds one run of the script. Redis works on a batch while the next one is being read. */
const CLAIM_BATCH_MAX = 64;

type Wanted = { readonly hold: Hold; readonly request: RequestKey };

export function redisHoldKeys(redis: RedisClient, claimTtlMs = CLAIM_TTL_MS): HoldKeys {
  const claimTogether = batched(
    ({ concertId, date }: SeatSet) => `${concertId} ${date}`,
    async (_, wanted: readonly Wanted[]) => {
      const keys = wanted.flatMap(({ hold, request }) => [answeredKey(hold, request), ...holdKeys(hold)]);
      const claims = wanted.flatMap(({ hold }) => [hold.userId, holderOf(hold), hold.seatNumbers.length]);
      return claimOutcomes(await run(redis, scripts.claim, keys, { ttlMs: claimTtlMs }, claims));
    },
    CLAIM_BATCH_MAX,
  );

  return {
    async claim(hold, request) {
      const outcome = await claimTogether(hold, { hold, request });
      if (typeof outcome === 'string') return outcome;
      throw new Refusal('seat-taken', { seatNumbers: hold.seatNumbers.filter((_, i) => outcome.includes(i + 1)) });
    },

    async prolong(hold, milliseconds) {
      await run(redis, scripts.prolong, holdKeys(hold), { holder: holderOf(hold), ttlMs: milliseconds });
    },

    async putBack(hold, milliseconds = claimTtlMs) {
      const ttlMs = Math.min(claimTtlMs, Math.ceil(milliseconds));
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

/** The outcome of each command, or the indices of its taken seats, from 1, as claim.lua replies them. */
function claimOutcomes(reply: readonly number[]): (Claim | readonly number[])[] {
  const outcomes: (Claim | readonly number[])[] = [];
  let at = 0;
  while (at < reply.length) {
    const outcome = reply[at++] ?? 0;
    const taken = reply.slice(at, at + Math.max(0, outcome));
    at += taken.length;
    outcomes.push(taken.length > 0 ? taken : outcome === 0 ? 'claimed' : 'repeated');
  }
  return outcomes;
}

/** The value of a hold key. It names the reservation, so that the end of an older one deletes no key of a newer one. */
export function holderOf({ userId, reservationId }: Pick<Hold, 'userId' | 'reservationId'>): string {
  return `${userId}:${reservationId}`;
}
