import { Refusal } from '#domain/errors.ts';
import type { RequestKey } from '#domain/request.ts';
import type { Hold, SeatSet } from '#domain/reservation.ts';
import type { SeatHolds } from '#ports/seat-holds.ts';
import { guarded } from './failures.ts';
import { gather } from './gather.ts';
import { answeredKey, seatKeys } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { run, scripts } from './scripts.ts';

/** A claim outlives the command that made it by little: a crash between claim and hold blocks the seat this long. */
const CLAIM_TTL_MS = 10_000;
/** As long as the box office keeps the answer. */
const ANSWERED_TTL_MS = 24 * 3_600_000;

/** Keeps a script far below a millisecond, and its keys below what Lua can unpack. */
const CLAIM_BATCH_MAX = 100;

type Wanted = { readonly hold: Hold; readonly request: RequestKey };

export function redisSeatHolds(redis: RedisClient): SeatHolds {
  /** Those who want seats of one date in the same moment cost Redis one command. */
  const claimTogether = gather(
    ({ concertId, date }: SeatSet) => `${concertId} ${date}`,
    (_, wanted: readonly Wanted[]) =>
      run(
        redis,
        scripts.claim,
        wanted.flatMap(({ hold, request }) => [answeredKey(hold, request), ...seatKeys(hold)]),
        CLAIM_TTL_MS,
        ...wanted.flatMap(({ hold }) => [hold.userId, markOf(hold), hold.seatNumbers.length]),
      ),
    CLAIM_BATCH_MAX,
  );

  return {
    async claim(hold, request) {
      const [outcome, ...indices] = await claimTogether(hold, { hold, request });
      if (outcome !== 'taken') return outcome;
      const taken = new Set(indices);
      throw new Refusal('seat-taken', { seatNumbers: hold.seatNumbers.filter((_, index) => taken.has(index + 1)) });
    },

    async keep(hold, milliseconds) {
      await run(redis, scripts.keep, seatKeys(hold), markOf(hold), milliseconds);
    },

    async remember(hold, request) {
      await guarded(() => redis.set(answeredKey(hold, request), '1', 'PX', ANSWERED_TTL_MS));
    },

    async release(hold) {
      await run(redis, scripts.release, seatKeys(hold), markOf(hold));
    },
  };
}

/** Who has a seat and by which reservation, so that an older reservation's end cannot take a newer one's mark away. */
export function markOf({ userId, reservationId }: Pick<Hold, 'userId' | 'reservationId'>): string {
  return `${userId}:${reservationId}`;
}
