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
  /** The seats' prices added up, frozen when they were held. */
  readonly amount: Money;
  readonly currency: Currency;
  readonly heldUntil: Date;
  /** How long the hold was granted for, in seconds, its extensions included. */
  readonly heldForSeconds: number;
  readonly createdAt: Date;
  /** Free seats that this hold left single: said once, when it was made. */
  readonly strandedSeatNumbers?: readonly number[];
};

export type Payment = {
  readonly paymentId: PaymentId;
  readonly reservationId: ReservationId;
  readonly userId: UserId;
  readonly amount: Money;
  readonly currency: Currency;
  /** What the wallet held right after this payment. */
  readonly balance: Money;
  readonly paidAt: Date;
  /** Present once it was given back. */
  readonly refundedAt?: Date;
};

/** A payment given back to the balance, whole. */
export type Refund = {
  readonly refundId: RefundId;
  readonly paymentId: PaymentId;
  readonly amount: Money;
  readonly currency: Currency;
  /** What the wallet held right after this refund. */
  readonly balance: Money;
  readonly refundedAt: Date;
};

/** A reservation given up, with its refund if it was paid. */
export type Cancellation = { readonly reservation: Reservation; readonly refund?: Refund };

/** Seats of one date set aside for one reservation, whether already recorded or only claimed. */
export type SeatSet = {
  readonly concertId: ConcertId;
  readonly date: ConcertDate;
  readonly seatNumbers: readonly number[];
};

export type OnDate = Pick<SeatSet, 'concertId' | 'date'>;

export type Hold = SeatSet & { readonly userId: UserId; readonly reservationId: ReservationId };

/** A hold key outlasts its hold by this, so that the crowd does not arrive before the seat is free. */
export const HOLD_KEY_MARGIN_MS = 250;
/** A session outlasts the hold it made by this, so that the last second of the hold can still be used. */
export const SESSION_MARGIN_MS = 5_000;

/** Seats ascending and each once: the order in which every statement locks them. */
export function seatOrder(seatNumbers: readonly number[]): number[] {
  return [...new Set(seatNumbers)].sort((a, b) => a - b);
}
