import type { ConcertDate, ConcertId, PaymentId, ReservationId, UserId } from './ids.ts';
import type { Currency, Money } from './money.ts';

/** HELD until the deadline, then CONFIRMED (paid), EXPIRED (not paid in time) or CANCELLED (released by the user). */
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
  /** How long the hold was granted for, in seconds. */
  readonly heldForSeconds: number;
  readonly createdAt: Date;
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
};

/** Seats of one date set aside for one reservation, whether already recorded or only claimed. */
export type SeatSet = {
  readonly concertId: ConcertId;
  readonly date: ConcertDate;
  readonly seatNumbers: readonly number[];
};

export type Hold = SeatSet & { readonly userId: UserId; readonly reservationId: ReservationId };

/** Seats ascending and each once: the order in which every statement locks them. */
export function seatOrder(seatNumbers: readonly number[]): number[] {
  return [...new Set(seatNumbers)].sort((a, b) => a - b);
}
