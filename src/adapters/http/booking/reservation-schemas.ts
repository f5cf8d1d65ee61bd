import { z } from 'zod';
import {
  count,
  currency,
  date,
  example,
  id,
  instant,
  money,
  name,
  named,
  seatNumber,
  seatNumbersUpTo,
  story,
} from '#adapters/http/openapi/schema-parts.ts';
import { pageOf } from '#adapters/http/paging.ts';

// The shapes of reservations.

/** Keeps one command from locking a whole hall. A larger group reserves several times. */
const SEATS_PER_REQUEST_MAX = 20;

const seatNumbers = seatNumbersUpTo(SEATS_PER_REQUEST_MAX);

export const reservationParams = z.object({ reservationId: id(story.reservation) });

export const reservationBody = example(
  z
    .object({
      date,
      seatNumbers: seatNumbers.optional().describe('These seats'),
      quantity: example(
        z.int().min(1).max(SEATS_PER_REQUEST_MAX).optional().describe('Instead of seatNumbers: this many of the best'),
        2,
      ),
      adjacent: z.literal(true).optional().describe('With quantity: side by side'),
      section: example(name.optional().describe('With quantity: in this section'), 'Stalls'),
      grade: example(name.optional().describe('With quantity: at this price grade'), 'R'),
    })
    .refine(({ seatNumbers, quantity }) => (seatNumbers === undefined) !== (quantity === undefined), {
      path: ['seatNumbers'],
      message: 'must be there, or quantity instead of it',
    })
    .refine(({ quantity, adjacent }) => quantity === undefined || adjacent, {
      path: ['adjacent'],
      message: 'must be true with quantity',
    })
    .refine(({ quantity, ...rest }) => quantity !== undefined || !(rest.adjacent || rest.section || rest.grade), {
      path: ['quantity'],
      message: 'must be there with adjacent, section or grade',
    }),
  { date: story.date, seatNumbers: [7, 8] },
  { date: story.date, quantity: 2, adjacent: true, section: 'Stalls' },
);

const held = {
  reservationId: story.reservation,
  userId: story.user,
  concertId: story.concert,
  date: story.date,
  seatNumbers: [7, 8],
  status: 'HELD' as const,
  amount: 100_000,
  currency: 'KRW',
  heldUntil: story.heldUntil,
  heldForSeconds: 300,
  createdAt: story.heldAt,
};

export const reservation = named(
  'Reservation',
  z.object({
    reservationId: id(held.reservationId),
    userId: id(held.userId),
    concertId: id(held.concertId),
    date,
    seatNumbers: example(z.array(seatNumber).describe('Ascending'), held.seatNumbers),
    status: z
      .enum(['HELD', 'CONFIRMED', 'EXPIRED', 'CANCELLED'])
      .describe('HELD until heldUntil; then CONFIRMED (paid), EXPIRED (not paid in time) or CANCELLED'),
    amount: money(held.amount, "The sum of the prices, in the currency's smallest unit"),
    currency,
    heldUntil: instant(held.heldUntil),
    heldForSeconds: count(held.heldForSeconds, 'The length of the hold, including extensions'),
    createdAt: instant(held.createdAt),
    strandedSeatNumbers: example(
      z
        .array(seatNumber)
        .optional()
        .describe('Orphan seats that this hold leaves; only in its first answer, under the policy warn'),
      [9],
    ),
  }),
  held,
  { ...held, status: 'CONFIRMED' },
);

export const reservationPage = pageOf('ReservationPage', reservation, { ...held, status: 'CONFIRMED' });

const refunded = {
  refundId: story.refund,
  paymentId: story.payment,
  amount: 100_000,
  currency: 'KRW',
  balance: 150_000,
  refundedAt: story.refundedAt,
};

const refund = named(
  'Refund',
  z.object({
    refundId: id(refunded.refundId),
    paymentId: id(refunded.paymentId),
    amount: money(refunded.amount),
    currency,
    balance: money(refunded.balance, 'After this refund'),
    refundedAt: instant(refunded.refundedAt),
  }),
  refunded,
);

export const cancellation = named(
  'Cancellation',
  z.object({ reservation, refund: refund.optional().describe('If the reservation was paid') }),
  { reservation: { ...held, status: 'CANCELLED' }, refund: refunded },
);
