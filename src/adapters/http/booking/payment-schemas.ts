import { z } from 'zod';
import { currency, example, id, instant, money, named, story } from '#adapters/http/openapi/schema-parts.ts';
import { pageOf } from '#adapters/http/paging.ts';

// The shapes of payments.

export const paymentParams = z.object({ paymentId: id(story.payment) });

export const paymentBody = example(z.object({ reservationId: id(story.reservation) }), {
  reservationId: story.reservation,
});

const paid = {
  paymentId: story.payment,
  reservationId: story.reservation,
  userId: story.user,
  amount: 100_000,
  currency: 'KRW',
  balance: 50_000,
  paidAt: story.paidAt,
};

export const payment = named(
  'Payment',
  z.object({
    paymentId: id(paid.paymentId),
    reservationId: id(paid.reservationId),
    userId: id(paid.userId),
    amount: money(paid.amount),
    currency,
    balance: money(paid.balance, 'After this payment'),
    paidAt: instant(paid.paidAt),
    refundedAt: instant(story.refundedAt).optional().describe('Once it was refunded'),
  }),
  paid,
);

export const paymentPage = pageOf('PaymentPage', payment, paid);
