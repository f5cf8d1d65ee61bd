import type { OrphanSeats, SeatWish } from '#domain/booking/best-seats.ts';
import type {
  Cancellation,
  Hold,
  OnDate,
  Payment,
  Reservation,
  ReservationStatus,
  SeatSet,
} from '#domain/booking/reservation.ts';
import type { Answered, IdempotencyKey } from '#domain/idempotency.ts';
import type { PaymentId, RefundId, ReservationId, UserId } from '#domain/ids.ts';
import type { Page, PageRequest } from '#domain/page.ts';
import type { EntryId } from '#domain/queue/queue.ts';

export type HoldOrder = Hold & {
  /** The session that the hold prolongs. It is stored with the hold, as the outbox needs it. */
  readonly entry: EntryId;
  readonly holdSeconds: number;
  readonly seatsPerUserMax: number;
  /** Limits the holds that this user makes at this concert within `sessionSeconds`. */
  readonly holdsPerSessionMax: number;
  readonly sessionSeconds: number;
  readonly strandedSeats: OrphanSeats;
  readonly request: IdempotencyKey;
};

/** A hold of seats that the box office chooses. */
export type BestOrder = Omit<HoldOrder, 'seatNumbers'> & { readonly wish: SeatWish };

/** A seat that cannot be held, its holder if it has one, and the time until it is free. */
export type Occupied = {
  readonly seatNumber: number;
  readonly by?: { readonly userId: UserId; readonly reservationId: ReservationId };
  /** Absent without a deadline: sold or blocked. */
  readonly forMilliseconds?: number;
};

/** A held seat, its reservation and the time left. */
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
  readonly request: IdempotencyKey;
};

/** A payment and the hold that it paid, whose keys are to be deleted. */
export type Paid = Answered<Payment> & { readonly hold: Hold };

export type ExtendOrder = {
  readonly reservationId: ReservationId;
  /** The session that the hold prolongs. */
  readonly entry: EntryId;
  readonly holdSeconds: number;
  readonly holdSecondsMax: number;
  readonly request: IdempotencyKey;
};

export type Extended = Answered<Reservation> & {
  /** Time left of the hold; 0 in a repeated answer. */
  readonly remainingMs: number;
};

export type CancelOrder = {
  readonly refundId: RefundId;
  readonly reservationId: ReservationId;
  readonly refundUntilSeconds: number;
  readonly request: IdempotencyKey;
};

/** The current state of a changed reservation, from which Redis is brought up to date. */
export type OutboxMessage = {
  readonly messageId: string;
  /** Another one after each change of the reservation. */
  readonly version: string;
  readonly hold: Hold;
  /** The session that the change prolongs or ends; absent if it does neither. */
  readonly entry?: EntryId;
  /** Read when the message is taken, so that order and repetition do not matter. */
  readonly status: ReservationStatus;
  /** Whether it was ever paid, also if refunded since. The session in which it was paid is over. */
  readonly paid: boolean;
  /** Time left of the hold; 0 after its end. */
  readonly remainingMs: number;
};

/**
 * The only authority and the only clock for seats, holds and payments. Each command is one atomic step, stored under its
 * idempotency key. A repeated command gets its first answer.
 *
 * Commands refuse `idempotency-key-reused` and `idempotency-key-in-use`, and `busy` or `unavailable` when the store is.
 */
export type BoxOffice = {
  /**
   * Holds all of the seats until a deadline, or none. A hold past its deadline ends here.
   * - If the order forbids orphan seats, it leaves none that another choice would avoid. If the order warns, the answer
   *   names them.
   * - Refuses `user-not-found`, `date-not-found`, `seat-not-found`, `seat-limit-reached`,
   *   `hold-limit-reached`, `seat-stranded`.
   */
  hold(order: HoldOrder): Promise<HoldOutcome>;

  /**
   * Holds the best adjacent seats that fulfil a wish. One command per date works at a time; more than a thousand waiting
   * ones are refused as `busy`.
   * - Refuses `no-adjacent-seats` only if there are none, whatever other commands do.
   * - Refuses what `hold` refuses.
   */
  holdBest(order: BestOrder): Promise<Held>;

  /** Takes free seats off sale, all or none. Idempotent. Refuses `seat-not-found`, `seat-taken`. */
  block(seats: SeatSet): Promise<void>;

  /** Puts blocked seats back on sale and ignores the others. Idempotent. Refuses `seat-not-found`. */
  unblock(seats: SeatSet): Promise<void>;

  /** Whether this command has a stored answer. Waits for the command if it is running. */
  knows(request: IdempotencyKey): Promise<boolean>;

  /**
   * Takes the price from the wallet and sells the seats to the user.
   * - Refuses `reservation-not-found`, `already-paid`, `reservation-not-held`, `hold-expired`, `insufficient-balance`.
   */
  pay(order: PayOrder): Promise<Paid>;

  /**
   * Frees the seats of a hold. Idempotent.
   * - Refuses `reservation-not-found`, `already-paid`, `hold-expired`.
   */
  release(userId: UserId, reservationId: ReservationId): Promise<Hold>;

  /**
   * Moves the deadline of a hold to `holdSeconds` from now. Never beyond `holdSecondsMax` after the hold was made, never
   * to an earlier time. The price stays.
   * - Refuses `reservation-not-found`, `already-paid`, `reservation-not-held`, `hold-expired`, `hold-at-ceiling`.
   */
  extend(order: ExtendOrder): Promise<Extended>;

  /**
   * Frees the seats of a reservation. Refunds a payment in full until `refundUntilSeconds` before the date starts; never
   * if that is negative.
   * - Refuses `reservation-not-found`, `already-cancelled`, `hold-expired`, `refund-closed`.
   */
  cancel(order: CancelOrder): Promise<Answered<Cancellation>>;

  /**
   * Expires up to `batchMax` seats of holds past their deadline. Returns the count. Idempotent; correctness does not
   * depend on it.
   */
  expireLapsed(batchMax: number): Promise<number>;

  /** Deletes up to `batchMax` stored answers older than the retention. Returns the count. */
  forgetAnswers(batchMax: number): Promise<number>;

  /** Leases up to `batchMax` outbox messages that no other instance has leased. */
  takeOutboxMessages(batchMax: number): Promise<readonly OutboxMessage[]>;

  /**
   * Deletes relayed messages. A message whose reservation has changed since it was taken stays and comes again after its
   * lease, as Redis may have been given the older state last. Returns the ids of those that it deleted. Idempotent.
   */
  ackOutboxMessages(messages: readonly Pick<OutboxMessage, 'messageId' | 'version'>[]): Promise<readonly string[]>;

  /** Makes these messages available again after a second, before their lease ends. */
  retryOutboxMessages(messageIds: readonly string[]): Promise<void>;

  /** Returns those of these seats that are held now, ascending. */
  findHeld(on: OnDate, seatNumbers: readonly number[]): Promise<readonly HeldSeat[]>;

  findReservation(userId: UserId, reservationId: ReservationId): Promise<Reservation | undefined>;
  listReservations(userId: UserId, page: PageRequest): Promise<Page<Reservation>>;
  findPayment(userId: UserId, paymentId: PaymentId): Promise<Payment | undefined>;
  listPayments(userId: UserId, page: PageRequest): Promise<Page<Payment>>;
};
