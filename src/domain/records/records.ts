import type { ConcertDate, ConcertId, PaymentId, ReservationId, UserId } from '#domain/ids.ts';
import type { Currency, Money } from '#domain/wallet/money.ts';

// The permanent records, as operators read them.

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

/** A change of a seat. The user and reservation are present if the seat was held or sold. */
export type SeatChange = {
  /** Larger is later, for one seat. */
  readonly changeId: string;
  readonly change: (typeof seatChanges)[number];
  /** Counts how often the seat was taken. */
  readonly fence: number;
  readonly userId?: UserId;
  readonly reservationId?: ReservationId;
  readonly paymentId?: PaymentId;
  /** At the time of the change. */
  readonly price: Money;
  readonly currency: Currency;
  readonly changedAt: Date;
};

export type SeatId = { readonly concertId: ConcertId; readonly date: ConcertDate; readonly seatNumber: number };

/** The records that can be exported, and the columns of each, in order. */
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

/** By column. Times are RFC 3339 in UTC with milliseconds; amounts are in the currency's smallest unit. */
export type RecordRow = Readonly<Record<string, string | number | readonly number[] | null>>;

/** Selects the records of a concert and of a time range, its end excluded. */
export type RecordsWanted = {
  readonly kind: RecordKind;
  readonly concertId?: ConcertId | undefined;
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
};
