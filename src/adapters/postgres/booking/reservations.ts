import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { pageOf } from '#adapters/postgres/client/page-of.ts';
import { replyOf, rowsOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import type { Cancellation } from '#domain/booking/reservation.ts';
import { paymentId, refundId } from '#domain/ids.ts';
import type { BoxOffice } from '#ports/booking/box-office.ts';
import { type CancellationJson, toReservation } from './booking-rows.ts';
import { bookingStatements } from './booking-statements.ts';

export function reservations({ pool }: Postgres): Pick<BoxOffice, 'cancel' | 'findReservation' | 'listReservations'> {
  return {
    async cancel({ refundId, reservationId, refundUntilSeconds, request: { userId, key, fingerprint } }) {
      const cancelled = [refundId, userId, reservationId, refundUntilSeconds] as const;
      const reply = await replyOf(pool, functions.cancelReservation, ...cancelled, key, fingerprint);
      return { answer: toCancellation(reply.answer), replayed: reply.replayed };
    },

    async findReservation(userId, reservationId) {
      const [row] = await rowsOf(pool, bookingStatements.findReservation, reservationId, userId);
      return row === undefined ? undefined : toReservation(row);
    },

    async listReservations(userId, { limit, after }) {
      const rows = await rowsOf(pool, bookingStatements.listReservations, userId, after, limit + 1);
      return pageOf(rows.map(toReservation), limit, (reservation) => reservation.reservationId);
    },
  };
}

function toCancellation({ reservation, refund }: CancellationJson): Cancellation {
  if (refund === undefined) return { reservation: toReservation(reservation) };
  const ids = { refundId: refundId(refund.refundId), paymentId: paymentId(refund.paymentId) };
  return {
    reservation: toReservation(reservation),
    refund: { ...refund, ...ids, refundedAt: new Date(refund.refundedAt) },
  };
}
