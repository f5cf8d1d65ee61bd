import { oneAtATime } from '#adapters/memory/one-at-a-time.ts';
import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { replyOf, rowsOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import { Refusal } from '#domain/errors.ts';
import { reservationId, userId } from '#domain/ids.ts';
import type { BoxOffice, Extended, HoldOrder, Occupied } from '#ports/booking/box-office.ts';
import { commandOf, type HeldReply, type HolderJson, type HoldReply, toHold, toReservation } from './booking-rows.ts';
import { bookingStatements } from './booking-statements.ts';

type Holds = Pick<
  BoxOffice,
  'hold' | 'holdBest' | 'extend' | 'release' | 'expireLapsed' | 'findHeld' | 'block' | 'unblock'
>;

/** Limits the commands that wait for the best seats of one date: a few seconds of them. */
const BEST_WAITING_MAX = 1_000;

export function holds({ pool }: Pick<Postgres, 'pool'>): Holds {
  /** In Postgres they would wait for each other, too, each with a connection. */
  const perDate = oneAtATime(BEST_WAITING_MAX, () => new Refusal('busy', { retryAfterSeconds: 1 }));

  return {
    async hold(order) {
      const { reservationId, userId, concertId, date, seatNumbers } = order;
      const wanted = [reservationId, userId, concertId, date, seatNumbers] as const;
      const reply = await replyOf(pool, functions.holdChosenSeats, ...wanted, ...conditionsOf(order));
      if ('occupied' in reply) return { outcome: 'taken', occupied: reply.occupied.map(toOccupied) };
      return { outcome: 'held', ...toExtended(reply) };
    },

    async holdBest({ wish: { quantity, section, grade }, ...order }) {
      const { reservationId, userId, concertId, date } = order;
      const wanted = [reservationId, userId, concertId, date, quantity, section, grade] as const;
      const ask = () => replyOf(pool, functions.holdBestSeats, ...wanted, ...conditionsOf(order));
      const reply = await perDate(`${concertId} ${date}`, ask);
      return { outcome: 'held', ...toExtended(reply) };
    },

    async extend({ reservationId, holdSeconds, holdSecondsMax, ...command }) {
      const { userId, concertId } = command.entry;
      const hold = [userId, concertId, reservationId] as const;
      const conditions = [holdSeconds, holdSecondsMax, ...commandOf(command)] as const;
      return toExtended(await replyOf(pool, functions.extendHold, ...hold, ...conditions));
    },

    async release(userId, reservationId) {
      const { answer } = await replyOf(pool, functions.releaseReservation, userId, reservationId);
      return toHold({ userId, reservationId, ...answer });
    },

    expireLapsed: (batchMax) => replyOf(pool, functions.expireHolds, batchMax),

    async findHeld({ concertId, date }, seatNumbers) {
      const rows = await rowsOf(pool, bookingStatements.findHeld, concertId, date, seatNumbers);
      return rows.map((row) => ({ ...row, ...holderOf(row) }));
    },

    async block({ concertId, date, seatNumbers }) {
      await replyOf(pool, functions.blockSeats, concertId, date, seatNumbers);
    },

    async unblock({ concertId, date, seatNumbers }) {
      await replyOf(pool, functions.unblockSeats, concertId, date, seatNumbers);
    },
  };
}

function conditionsOf(order: Omit<HoldOrder, 'seatNumbers'>) {
  const { holdSeconds, seatsPerUserMax, holdsPerSessionMax, sessionSeconds, strandedSeats, ...command } = order;
  const limits = [holdSeconds, seatsPerUserMax, holdsPerSessionMax, sessionSeconds, strandedSeats] as const;
  return [...limits, ...commandOf(command)] as const;
}

function toExtended({ answer, replayed, remainingMs = 0 }: HeldReply): Extended {
  return { answer: toReservation(answer), replayed, remainingMs };
}

const holderOf = (row: HolderJson) => ({
  userId: userId(row.userId),
  reservationId: reservationId(row.reservationId),
});

type OccupiedJson = Extract<HoldReply, { occupied: unknown }>['occupied'][number];

function toOccupied({ seatNumber, forMs, userId, reservationId }: OccupiedJson): Occupied {
  return {
    seatNumber,
    ...(userId !== null && reservationId !== null ? { by: holderOf({ userId, reservationId }) } : {}),
    ...(forMs === null ? {} : { forMilliseconds: forMs }),
  };
}
