import type { SeatWish, StrandedSeats } from '#domain/booking/best-seats.ts';
import type {
  Cancellation,
  Hold,
  OnDate,
  Payment,
  Reservation,
  ReservationStatus,
  SeatSet,
} from '#domain/booking/reservation.ts';
import type { Answered, RequestKey } from '#domain/idempotency.ts';
import type { PaymentId, RefundId, ReservationId, UserId } from '#domain/ids.ts';
import type { Page, PageRequest } from '#domain/page.ts';
import type { EntryId } from '#domain/queue/queue.ts';

export type HoldOrder = Hold & {
  /** Whose session the hold prolongs; recorded with it, in case nobody is left to do so. */
  readonly entry: EntryId;
  readonly holdSeconds: number;
  readonly seatsPerUserMax: number;
  readonly strandedSeats: StrandedSeats;
  readonly request: RequestKey;
};

/** A hold of seats that the box office chooses. */
export type BestOrder = Omit<HoldOrder, 'seatNumbers'> & { readonly wish: SeatWish };

/** A seat that somebody has: for how much longer, and who, as far as a person has it at all. */
export type Occupied = {
  readonly seatNumber: number;
  readonly by?: { readonly userId: UserId; readonly reservationId: ReservationId };
  /** Absent when no deadline frees it: sold or blocked. */
  readonly forMilliseconds?: number;
};

/** A seat on hold, by which reservation and for how much longer. */
export type HeldSeat = {
  readonly seatNumber: number;
  readonly userId: UserId;
  readonly reservationId: ReservationId;
  readonly remainingMs: number;
};

export type Held = { readonly outcome: 'held'; readonly remainingMs: number } & Answered<Reservation>;

export type HoldOutcome = Held | { readonly outcome: 'taken'; readonly occupied: readonly Occupied[] };

export type PayOrder = {
  readonly paymentId: PaymentId;
  readonly reservationId: ReservationId;
  readonly entry: EntryId;
  readonly request: RequestKey;
};

/** A payment and what it paid for, so that the seats' marks can be taken away. */
export type Paid = Answered<Payment> & { readonly hold: Hold };

export type ExtendOrder = {
  readonly reservationId: ReservationId;
  /** Whose session the hold prolongs. */
  readonly entry: EntryId;
  readonly holdSeconds: number;
  readonly holdSecondsMax: number;
  readonly request: RequestKey;
};

export type Extended = Answered<Reservation> & {
  /** Of the hold; 0 where the first answer is given again. */
  readonly remainingMs: number;
};

export type CancelOrder = {
  readonly refundId: RefundId;
  readonly reservationId: ReservationId;
  readonly refundUntilSeconds: number;
  readonly request: RequestKey;
};

/** What became of a reservation, for those who were not there when it happened. */
export type OutboxMessage = {
  readonly eventId: string;
  readonly hold: Hold;
  /** Whose session the change prolongs or ends; absent if it does neither. */
  readonly entry?: EntryId;
  /** As of now, not as of the event, so that neither order nor repetition matters. */
  readonly status: ReservationStatus;
  /** Whether it was ever paid, refunded since or not: then the session that it was paid in is over. */
  readonly paid: boolean;
  /** Of the hold; 0 when it is over. */
  readonly remainingMs: number;
};

/**
 * The only authority, and the only clock, for seats, holds and payments. Each command is one indivisible step: it
 * happens as a whole and is remembered under its request key, or nothing happens. A repeated command gets its first answer.
 *
 * Commands refuse `idempotency-key-reused` and `idempotency-key-in-use`, and `busy` or `unavailable` when the store is.
 */
export type BoxOffice = {
  /**
   * Sets all of the seats aside until a deadline, or none. A hold past its deadline is no obstacle: it ends here.
   * Leaves no free seat single where the order forbids it and another choice would not; where the order warns of it, the
   * answer names them.
   * Refuses `user-not-found`, `date-not-found`, `seat-not-found`, `seat-limit-reached`, `seat-stranded`.
   */
  hold(order: HoldOrder): Promise<HoldOutcome>;

  /**
   * Holds the best seats side by side that fulfil a wish. That there are none is said only when it is so, whoever else is
   * asking. Slower than holding what was chosen: for those who have lost what they chose, again and again.
   * Refuses `no-adjacent-seats`, and what `hold` refuses.
   */
  holdBest(order: BestOrder): Promise<Held>;

  /** Takes free seats off sale, all of them or none. Harmless when repeated. Refuses `seat-not-found`, `seat-taken`. */
  block(seats: SeatSet): Promise<void>;

  /** Puts blocked seats on sale again; those that are not blocked stay as they are. Refuses `seat-not-found`. */
  unblock(seats: SeatSet): Promise<void>;

  /** Whether this request has its answer, which repeating it would give again. Waits for one that is under way. */
  knows(request: RequestKey): Promise<boolean>;

  /**
   * Takes the price from the wallet and gives the seats to the user.
   * Refuses `reservation-not-found`, `already-paid`, `reservation-not-held`, `hold-expired`, `insufficient-balance`.
   */
  pay(order: PayOrder): Promise<Paid>;

  /**
   * Gives the seats of a hold back. Harmless when repeated.
   * Refuses `reservation-not-found`, `already-paid`, `hold-expired`.
   */
  release(userId: UserId, reservationId: ReservationId): Promise<Hold>;

  /**
   * Makes a hold last `holdSeconds` from now, but no longer than `holdSecondsMax` from when it was made, and never shorter
   * than before. The price stays.
   * Refuses `reservation-not-found`, `already-paid`, `reservation-not-held`, `hold-expired`, `hold-at-ceiling`.
   */
  extend(order: ExtendOrder): Promise<Extended>;

  /**
   * Gives the seats of a reservation back. What was paid for them goes back to the wallet, whole, until
   * `refundUntilSeconds` before their date starts; never, if that is negative.
   * Refuses `reservation-not-found`, `already-cancelled`, `hold-expired`, `refund-closed`.
   */
  cancel(order: CancelOrder): Promise<Answered<Cancellation>>;

  /** Tidies away up to `batchMax` seats of holds past their deadline; answers how many. Nothing depends on its being done. */
  expireLapsed(batchMax: number): Promise<number>;

  /** Forgets up to `batchMax` answers to requests older than the retention; answers how many. */
  forgetAnswers(batchMax: number): Promise<number>;

  /** Up to `batchMax` aftermaths that nobody else is looking after for the next while. */
  takeOutboxMessages(batchMax: number): Promise<readonly OutboxMessage[]>;

  /** These were looked after and need not come again. */
  ackOutboxMessages(eventIds: readonly string[]): Promise<void>;

  /** These could not be told: they come again in a second, and not only once those would whose taker has died. */
  retryOutboxMessages(eventIds: readonly string[]): Promise<void>;

  /** Those of these seats that are held right now, ascending. */
  findHeld(on: OnDate, seatNumbers: readonly number[]): Promise<readonly HeldSeat[]>;

  findReservation(userId: UserId, reservationId: ReservationId): Promise<Reservation | undefined>;
  listReservations(userId: UserId, page: PageRequest): Promise<Page<Reservation>>;
  findPayment(userId: UserId, paymentId: PaymentId): Promise<Payment | undefined>;
  listPayments(userId: UserId, page: PageRequest): Promise<Page<Payment>>;
};
