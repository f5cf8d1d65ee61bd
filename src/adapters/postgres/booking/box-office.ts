import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { guarded } from '#adapters/postgres/client/failures.ts';
import { pageOf } from '#adapters/postgres/client/page-of.ts';
import { replyOf, rowsOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import type { Cancellation, Hold, Payment, Reservation } from '#domain/booking/reservation.ts';
import { concertDate, concertId, paymentId, refundId, reservationId, userId } from '#domain/ids.ts';
import type { BoxOffice, Held, HeldSeat, Occupied, OutboxMessage } from '#ports/booking/box-office.ts';
import type {
  CancellationJson,
  HeldReply,
  HoldReply,
  OutboxMessageRow,
  PaymentJson,
  ReservationJson,
} from './booking-rows.ts';
import { bookingStatements } from './booking-statements.ts';
import { type HeldSeatRow, heldStatements } from './held-statements.ts';

/** Keeps the stored answers at least this long. */
const ANSWERS_KEPT_HOURS = 24;
/**
 * Limits the lease of outbox messages: longer than a relay usually takes. A repetition is harmless; a relay that died
 * delays its messages by this.
 */
const OUTBOX_LEASE_SECONDS = 5;
/** Delays a retry by the time that a command has to update Redis itself. */
const OUTBOX_RETRY_SECONDS = 1;

export function postgresBoxOffice({ pool, prisma }: Postgres): BoxOffice {
  return {
    async hold(order) {
      const reply = await replyOf(
        pool,
        functions.holdChosenSeats,
        order.reservationId,
        order.userId,
        order.concertId,
        order.date,
        order.seatNumbers,
        order.holdSeconds,
        order.seatsPerUserMax,
        order.strandedSeats,
        order.entry.sequence,
        order.entry.epoch,
        order.request.key,
        order.request.fingerprint,
      );
      if ('occupied' in reply) return { outcome: 'taken', occupied: reply.occupied.map(toOccupied) };
      return toHeld(reply);
    },

    async holdBest({ wish, ...order }) {
      const reply = await replyOf(
        pool,
        functions.holdBestSeats,
        order.reservationId,
        order.userId,
        order.concertId,
        order.date,
        wish.quantity,
        wish.section,
        wish.grade,
        order.holdSeconds,
        order.seatsPerUserMax,
        order.strandedSeats,
        order.entry.sequence,
        order.entry.epoch,
        order.request.key,
        order.request.fingerprint,
      );
      return toHeld(reply);
    },

    async block({ concertId, date, seatNumbers }) {
      await replyOf(pool, functions.blockSeats, concertId, date, seatNumbers);
    },

    async unblock({ concertId, date, seatNumbers }) {
      await replyOf(pool, functions.unblockSeats, concertId, date, seatNumbers);
    },

    async knows({ userId, key, fingerprint }) {
      return (await replyOf(pool, functions.recallAnswer, userId, key, fingerprint)) !== null;
    },

    async pay({ paymentId, reservationId, entry, request }) {
      const { userId, concertId } = entry;
      const reply = await replyOf(
        pool,
        functions.payReservation,
        paymentId,
        userId,
        concertId,
        reservationId,
        entry.sequence,
        entry.epoch,
        request.key,
        request.fingerprint,
      );
      const hold = { userId, concertId, reservationId, date: concertDate(reply.date), seatNumbers: reply.seatNumbers };
      return { answer: toPayment(reply.answer), replayed: reply.replayed, hold };
    },

    async release(userId, reservationId) {
      const { answer } = await replyOf(pool, functions.releaseReservation, userId, reservationId);
      return {
        userId,
        reservationId,
        concertId: concertId(answer.concertId),
        date: concertDate(answer.date),
        seatNumbers: answer.seatNumbers,
      };
    },

    async extend({ reservationId, entry, holdSeconds, holdSecondsMax, request }) {
      const {
        answer,
        replayed,
        remainingMs = 0,
      } = await replyOf(
        pool,
        functions.extendHold,
        entry.userId,
        entry.concertId,
        reservationId,
        holdSeconds,
        holdSecondsMax,
        entry.sequence,
        entry.epoch,
        request.key,
        request.fingerprint,
      );
      return { answer: toReservation(answer), replayed, remainingMs };
    },

    async cancel({ refundId, reservationId, refundUntilSeconds, request }) {
      const { answer, replayed } = await replyOf(
        pool,
        functions.cancelReservation,
        refundId,
        request.userId,
        reservationId,
        refundUntilSeconds,
        request.key,
        request.fingerprint,
      );
      return { answer: toCancellation(answer), replayed };
    },

    async expireLapsed(batchMax) {
      return replyOf(pool, functions.expireHolds, batchMax);
    },

    async forgetAnswers(batchMax) {
      return replyOf(pool, functions.forgetAnswers, ANSWERS_KEPT_HOURS, batchMax);
    },

    async takeOutboxMessages(batchMax) {
      const rows = await rowsOf(pool, functions.takeOutboxMessages, batchMax, OUTBOX_LEASE_SECONDS);
      return rows.map(toOutboxMessage);
    },

    async ackOutboxMessages(messages) {
      const [ids, versions] = [messages.map(({ eventId }) => eventId), messages.map(({ version }) => version)];
      await rowsOf(pool, bookingStatements.ackOutboxMessages, ids, versions);
    },

    async retryOutboxMessages(eventIds) {
      await rowsOf(pool, bookingStatements.retryOutboxMessagesLater, eventIds, OUTBOX_RETRY_SECONDS);
    },

    async findHeld({ concertId, date }, seatNumbers) {
      return (await rowsOf(pool, heldStatements.findHeld, concertId, date, seatNumbers)).map(toHeldSeat);
    },

    async findReservation(userId, reservationId) {
      const [row] = await rowsOf(pool, bookingStatements.findReservation, reservationId, userId);
      return row === undefined ? undefined : toReservation(row);
    },

    async listReservations(userId, { limit, after }) {
      const rows = await rowsOf(pool, bookingStatements.listReservations, userId, after, limit + 1);
      return pageOf(rows.map(toReservation), limit, (reservation) => reservation.reservationId);
    },

    async findPayment(userId, paymentId) {
      const row = await guarded(async () =>
        (await prisma()).payment.findUnique({ where: { paymentId, userId }, include: REFUNDED }),
      );
      return row === null ? undefined : withRefund(row);
    },

    async listPayments(userId, { limit, after }) {
      const rows = await guarded(async () =>
        (await prisma()).payment.findMany({
          where: { userId, ...(after === undefined ? {} : { paymentId: { lt: after } }) },
          orderBy: { paymentId: 'desc' },
          take: limit + 1,
          include: REFUNDED,
        }),
      );
      return pageOf(rows.map(withRefund), limit, (payment) => payment.paymentId);
    },
  };
}

function toHeld({ answer, replayed, remainingMs = 0 }: HeldReply): Held {
  return { outcome: 'held', answer: toReservation(answer), replayed, remainingMs };
}

function toHeldSeat({ userId: user, reservationId: reservation, ...row }: HeldSeatRow): HeldSeat {
  return { ...row, userId: userId(user), reservationId: reservationId(reservation) };
}

function toReservation(row: ReservationJson): Reservation {
  return {
    reservationId: reservationId(row.reservationId),
    userId: userId(row.userId),
    concertId: concertId(row.concertId),
    date: concertDate(row.date),
    seatNumbers: row.seatNumbers,
    status: row.status,
    amount: row.amount,
    currency: row.currency,
    heldUntil: new Date(row.heldUntil),
    heldForSeconds: row.heldForSeconds,
    createdAt: new Date(row.createdAt),
    ...(row.strandedSeatNumbers === undefined ? {} : { strandedSeatNumbers: row.strandedSeatNumbers }),
  };
}

/** The Prisma relation of a payment with its refund. */
const REFUNDED = { refund: { select: { refundedAt: true } } } as const;

/** A row from a function's JSON, or from Prisma with bigints and dates. */
type PaymentRow = { [K in keyof PaymentJson]: PaymentJson[K] extends number ? number | bigint : string | Date };
type StoredPayment = PaymentRow & { readonly refund: { readonly refundedAt: Date } | null };

function toPayment(row: PaymentRow): Payment {
  return {
    paymentId: paymentId(String(row.paymentId)),
    reservationId: reservationId(String(row.reservationId)),
    userId: userId(String(row.userId)),
    amount: Number(row.amount),
    currency: String(row.currency),
    balance: Number(row.balance),
    paidAt: new Date(row.paidAt),
  };
}

/** A row from Prisma, with its refund. */
function withRefund({ refund, ...row }: StoredPayment): Payment {
  return { ...toPayment(row), ...(refund === null ? {} : { refundedAt: refund.refundedAt }) };
}

function toCancellation({ reservation, refund }: CancellationJson): Cancellation {
  if (refund === undefined) return { reservation: toReservation(reservation) };
  const { refundId: id, paymentId: payment, refundedAt, ...rest } = refund;
  return {
    reservation: toReservation(reservation),
    refund: { ...rest, refundId: refundId(id), paymentId: paymentId(payment), refundedAt: new Date(refundedAt) },
  };
}

function toOccupied(seat: Extract<HoldReply, { occupied: unknown }>['occupied'][number]): Occupied {
  const { seatNumber, forMs } = seat;
  return {
    seatNumber,
    ...(seat.userId !== null && seat.reservationId !== null
      ? { by: { userId: userId(seat.userId), reservationId: reservationId(seat.reservationId) } }
      : {}),
    ...(forMs === null ? {} : { forMilliseconds: forMs }),
  };
}

function toOutboxMessage(row: OutboxMessageRow): OutboxMessage {
  const hold: Hold = {
    reservationId: reservationId(row.reservationId),
    userId: userId(row.userId),
    concertId: concertId(row.concertId),
    date: concertDate(row.date),
    seatNumbers: row.seatNumbers,
  };
  const { messageId, version, status, paid } = row;
  const message = { eventId: messageId, version, hold, status, paid, remainingMs: Number(row.remainingMs) };
  if (row.sequence === null || row.epoch === null) return message;
  const { userId: user, concertId: concert } = hold;
  return {
    ...message,
    entry: { userId: user, concertId: concert, sequence: Number(row.sequence), epoch: row.epoch },
  };
}
