import type { ConcertDate, ConcertId, PaymentId, ReservationId, UserId } from '#domain/ids.ts';
import type { Currency, Money } from '#domain/wallet/money.ts';

// What is on record for good, as an operator reads it.

export const seatChanges = [
  'created',
  'held',
  'released',
  'expired',
  'sold',
  'refunded',
  'blocked',
  'unblocked',
] as const;

/** Something that happened to a seat. Who and by which reservation is there where somebody had it. */
export type SeatChange = {
  /** Of one seat, larger is later. */
  readonly changeId: string;
  readonly change: (typeof seatChanges)[number];
  /** How often the seat had been taken by then. */
  readonly fence: number;
  readonly userId?: UserId;
  readonly reservationId?: ReservationId;
  readonly paymentId?: PaymentId;
  /** Of the seat at that moment. */
  readonly price: Money;
  readonly currency: Currency;
  readonly changedAt: Date;
};

export type SeatId = { readonly concertId: ConcertId; readonly date: ConcertDate; readonly seatNumber: number };

/** What can be read as a whole, and what each row of it says, in this order. */
export const recordColumns = {
  reservations: [
    ...['reservationId', 'userId', 'concertId', 'date', 'seatNumbers', 'status', 'amount', 'currency'],
    ...['heldUntil', 'heldForSeconds', 'createdAt', 'endedAt', 'sequence'],
  ],
  payments: [
    ...['paymentId', 'reservationId', 'userId', 'concertId', 'amount', 'currency', 'balance', 'paidAt', 'refundedAt'],
  ],
  refunds: [
    ...['refundId', 'paymentId', 'reservationId', 'userId', 'concertId', 'amount', 'currency', 'balance', 'refundedAt'],
  ],
  'ledger-entries': [
    ...['entryId', 'transactionId', 'kind', 'account', 'userId', 'amount', 'currency', 'balance', 'recordedAt'],
  ],
  'seat-history': [
    ...['changeId', 'concertId', 'date', 'seatNumber', 'change', 'fence', 'reservationId', 'userId', 'paymentId'],
    ...['price', 'currency', 'changedAt'],
  ],
} as const satisfies Record<string, readonly string[]>;

export type RecordKind = keyof typeof recordColumns;
export const recordKinds = Object.keys(recordColumns) as [RecordKind, ...RecordKind[]];

/** By column. Times are RFC 3339 in UTC with milliseconds, money is in the currency's smallest unit. */
export type RecordRow = Readonly<Record<string, string | number | readonly number[] | null>>;

/** Which of them: of a concert, and recorded in a stretch of time, its end not included. */
export type RecordsWanted = {
  readonly kind: RecordKind;
  readonly concertId?: ConcertId | undefined;
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
};
