import type { ConcertDate, ConcertId, PaymentId, RefundId, ReservationId, UserId } from '#domain/ids.ts';
import type { Currency, Money } from '#domain/wallet/money.ts';

/** HELD until the deadline, then CONFIRMED (paid), EXPIRED (not paid in time) or CANCELLED (released, or refunded). */
export type ReservationStatus = 'HELD' | 'CONFIRMED' | 'EXPIRED' | 'CANCELLED';

export type Reservation = {
  readonly reservationId: ReservationId;
  readonly userId: UserId;
  readonly concertId: ConcertId;
  readonly date: ConcertDate;
  /** Ascending. */
  readonly seatNumbers: readonly number[];
  readonly status: ReservationStatus;
  /** The sum of the seats' prices when they were held. */
  readonly amount: Money;
  readonly currency: Currency;
  readonly heldUntil: Date;
  /** The duration of the hold, extensions included. */
  readonly heldForSeconds: number;
  readonly createdAt: Date;
  /** The orphan seats that this hold left. Present only in the answer that made it. */
  readonly strandedSeatNumbers?: readonly number[];
};

export type Payment = {
  readonly paymentId: PaymentId;
  readonly reservationId: ReservationId;
  readonly userId: UserId;
  readonly amount: Money;
  readonly currency: Currency;
  /** The balance right after this payment. */
  readonly balance: Money;
  readonly paidAt: Date;
  /** Present once the payment was refunded. */
  readonly refundedAt?: Date;
};

/** A payment returned to the balance in full. */
export type Refund = {
  readonly refundId: RefundId;
  readonly paymentId: PaymentId;
  readonly amount: Money;
  readonly currency: Currency;
  /** The balance right after this refund. */
  readonly balance: Money;
  readonly refundedAt: Date;
};

/** A cancelled reservation, with its refund if it was paid. */
export type Cancellation = { readonly reservation: Reservation; readonly refund?: Refund };

/** Seats of one date for one reservation, stored or still to be held. */
export type SeatSet = {
  readonly concertId: ConcertId;
  readonly date: ConcertDate;
  readonly seatNumbers: readonly number[];
};

export type OnDate = Pick<SeatSet, 'concertId' | 'date'>;

export type Hold = SeatSet & { readonly userId: UserId; readonly reservationId: ReservationId };

/** Hold keys outlast their hold by this, so that the crowd arrives only after the seat is free. */
export const HOLD_KEY_MARGIN_MS = 250;
/** A session outlasts its hold by this, so that the last second of the hold can still be used. */
export const SESSION_MARGIN_MS = 5_000;

/** Holds prolong a session by this at most, margin included, however many they are. */
export function longestHoldMs({
  holdSeconds,
  holdSecondsMax,
}: {
  holdSeconds: number;
  holdSecondsMax: number;
}): number {
  return Math.max(holdSeconds, holdSecondsMax) * 1_000 + SESSION_MARGIN_MS;
}

/** Ascending and without duplicates: the order in which every statement locks seats. */
export function seatOrder(seatNumbers: readonly number[]): number[] {
  return [...new Set(seatNumbers)].sort((a, b) => a - b);
}
