import type { Cancellation, Payment, Refund, Reservation } from '#domain/booking/reservation.ts';

// How reservations and payments are written in an answer: times as RFC 3339 in UTC.

export const viewReservation = ({ strandedSeatNumbers, ...reservation }: Reservation) => ({
  ...reservation,
  seatNumbers: [...reservation.seatNumbers],
  ...(strandedSeatNumbers && { strandedSeatNumbers: [...strandedSeatNumbers] }),
  heldUntil: reservation.heldUntil.toISOString(),
  createdAt: reservation.createdAt.toISOString(),
});

export const viewPayment = ({ refundedAt, ...payment }: Payment) => ({
  ...payment,
  paidAt: payment.paidAt.toISOString(),
  ...(refundedAt === undefined ? {} : { refundedAt: refundedAt.toISOString() }),
});

export const viewCancellation = ({ reservation, refund }: Cancellation) => ({
  reservation: viewReservation(reservation),
  ...(refund === undefined ? {} : { refund: viewRefund(refund) }),
});

const viewRefund = (refund: Refund) => ({ ...refund, refundedAt: refund.refundedAt.toISOString() });
