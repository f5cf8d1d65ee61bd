import { randomUUID } from 'node:crypto';
import { guarded } from '#adapters/redis/client/failures.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { answeredKey, seatKeys, turnKey } from '#adapters/redis/keys.ts';
import { gather } from '#adapters/redis/queue/gather.ts';
import { run, scripts } from '#adapters/redis/scripts.ts';
import { type Hold, MARK_MARGIN_MS, type OnDate, type SeatSet } from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import type { RequestKey } from '#domain/idempotency.ts';
import type { HeldSeat } from '#ports/booking/box-office.ts';
import type { Claim, SeatHolds, TurnState } from '#ports/booking/hold-keys.ts';

/** A claim outlives the command that made it by little: a crash between claim and hold blocks the seat this long. */
export const CLAIM_TTL_MS = 10_000;
/** As long as the box office keeps the answer. */
const ANSWERED_TTL_MS = 24 * 3_600_000;

/** Longer than one step of a turn takes. Whoever dies in the middle of one is waited for no longer. */
const TURN_MS = 10_000;
/** A replica that takes over may lack some marks without lacking all of them: so long at most. */
const KNOWN_MS = 60_000;
/** Keeps a script short, and has a crowd sent in parts: Redis is at work on the first while the others are still being read. */
const CLAIM_BATCH_MAX = 64;

type Wanted = { readonly hold: Hold; readonly request: RequestKey };

export function redisSeatHolds(redis: RedisClient): SeatHolds {
  /** Those who want seats of one date in the same moment cost Redis one command. */
  const claimTogether = gather(
    ({ concertId, date }: SeatSet) => `${concertId} ${date}`,
    async (_, wanted: readonly Wanted[]) => {
      const reply = await run(
        redis,
        scripts.claim,
        wanted.flatMap(({ hold, request }) => [answeredKey(hold, request), ...seatKeys(hold)]),
        CLAIM_TTL_MS,
        ...wanted.flatMap(({ hold }) => [hold.userId, markOf(hold), hold.seatNumbers.length]),
      );
      return claimOutcomes(reply);
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
      await run(redis, scripts.prolong, seatKeys(hold), markOf(hold), milliseconds);
    },

    async note(hold, milliseconds = CLAIM_TTL_MS) {
      const ttlMs = Math.min(CLAIM_TTL_MS, milliseconds);
      await guarded(() => Promise.all(seatKeys(hold).map((seat) => redis.set(seat, markOf(hold), 'PX', ttlMs, 'NX'))));
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

    async takeTurn(on) {
      const turnId = randomUUID();
      const taken = await guarded(() => redis.set(turnKey(on), turnId, 'PX', TURN_MS, 'NX'));
      return taken === null ? undefined : { ...on, turnId };
    },

    async putBack(turn, seats) {
      const marks = seats.flatMap((seat) => [markOf(seat), Math.min(CLAIM_TTL_MS, lifetimeOf(seat))]);
      const keys = [turnKey(turn), ...keysOf(turn, seats)];
      return stateAfter(await run(redis, scripts.putBack, keys, turn.turnId, TURN_MS, ...marks));
    },

    async confirm(turn, seats) {
      const marks = seats.flatMap((seat) => [markOf(seat), lifetimeOf(seat)]);
      const keys = [turnKey(turn), ...keysOf(turn, seats)];
      return stateAfter(await run(redis, scripts.confirm, keys, turn.turnId, ...marks));
    },

    async endTurn(turn) {
      await run(redis, scripts.endTurn, [turnKey(turn)], turn.turnId, KNOWN_MS);
    },
  };
}

/** What became of each claim, or the indices of the seats in its way, counted from 1: as `claim.lua` replies them. */
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

/** What the scripts reply of a turn that is over. */
const OVER = -1;
const stateAfter = (reply: number): TurnState => (reply === OVER ? 'over' : 'on');

const lifetimeOf = ({ remainingMs }: HeldSeat) => Math.ceil(remainingMs) + MARK_MARGIN_MS;

function keysOf({ concertId, date }: OnDate, seats: readonly HeldSeat[]): string[] {
  return seatKeys({ concertId, date, seatNumbers: seats.map(({ seatNumber }) => seatNumber) });
}

/** Who has a seat and by which reservation, so that an older reservation's end cannot take a newer one's mark away. */
export function markOf({ userId, reservationId }: Pick<Hold, 'userId' | 'reservationId'>): string {
  return `${userId}:${reservationId}`;
}
