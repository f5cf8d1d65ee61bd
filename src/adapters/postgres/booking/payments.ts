import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { guarded } from '#adapters/postgres/client/failures.ts';
import { pageOf } from '#adapters/postgres/client/page-of.ts';
import { replyOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import type { Payment } from '#domain/booking/reservation.ts';
import { paymentId, reservationId, userId } from '#domain/ids.ts';
import type { BoxOffice } from '#ports/booking/box-office.ts';
import { commandOf, type PaymentJson, toHold } from './booking-rows.ts';

export function payments({ pool, prisma }: Postgres): Pick<BoxOffice, 'pay' | 'findPayment' | 'listPayments'> {
  return {
    async pay({ paymentId, reservationId, ...command }) {
      const { userId, concertId } = command.entry;
      const paid = [paymentId, userId, concertId, reservationId] as const;
      const reply = await replyOf(pool, functions.payReservation, ...paid, ...commandOf(command));
      const { answer, replayed, ...seats } = reply;
      return { answer: toPayment(answer), replayed, hold: toHold({ userId, concertId, reservationId, ...seats }) };
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

function withRefund({ refund, ...row }: StoredPayment): Payment {
  return { ...toPayment(row), ...(refund === null ? {} : { refundedAt: refund.refundedAt }) };
}
