import type { Hold, Reservation, ReservationStatus } from '#domain/booking/reservation.ts';
import type { IdempotencyKey } from '#domain/idempotency.ts';
import { concertDate, concertId, reservationId, userId } from '#domain/ids.ts';
import type { EntryId } from '#domain/queue/queue.ts';

// What the SQL functions and statements of booking take and reply.

export type Remembered<Answer> = { readonly answer: Answer; readonly replayed: boolean };

type HoldJson = {
  readonly reservationId: string;
  readonly userId: string;
  readonly concertId: string;
  readonly date: string;
  readonly seatNumbers: readonly number[];
};

export type ReservationJson = HoldJson & {
  readonly status: ReservationStatus;
  readonly amount: number;
  readonly currency: string;
  readonly heldUntil: string;
  readonly heldForSeconds: number;
  readonly createdAt: string;
  readonly strandedSeatNumbers?: readonly number[];
};

export type PaymentJson = {
  readonly paymentId: string;
  readonly reservationId: string;
  readonly userId: string;
  readonly amount: number;
  readonly currency: string;
  readonly balance: number;
  readonly paidAt: string;
};

export type HeldReply = Remembered<ReservationJson> & { readonly remainingMs?: number };
export type HoldReply =
  | HeldReply
  | {
      readonly occupied: {
        readonly seatNumber: number;
        readonly userId: string | null;
        readonly reservationId: string | null;
        readonly forMs: number | null;
      }[];
    };

export type HolderJson = Pick<HoldJson, 'userId' | 'reservationId'>;

export type HeldSeatRow = HolderJson & {
  readonly seatNumber: number;
  readonly remainingMs: number;
};

export type PayReply = Remembered<PaymentJson> & Pick<HoldJson, 'date' | 'seatNumbers'>;

export type CancellationJson = {
  readonly reservation: ReservationJson;
  readonly refund?: {
    readonly refundId: string;
    readonly paymentId: string;
    readonly amount: number;
    readonly currency: string;
    readonly balance: number;
    readonly refundedAt: string;
  };
};

export type ReleaseReply = { readonly answer: Pick<HoldJson, 'concertId' | 'date' | 'seatNumbers'> };

export type OutboxMessageRow = HoldJson & {
  readonly messageId: string;
  readonly version: string;
  readonly sequence: string | null;
  readonly epoch: string | null;
  readonly status: ReservationStatus;
  readonly paid: boolean;
  readonly remainingMs: string;
};

/** The last arguments of a command: the session and the idempotency key under which it came. */
export const commandOf = ({ entry, request }: { readonly entry: EntryId; readonly request: IdempotencyKey }) =>
  [entry.sequence, entry.epoch, request.key, request.fingerprint] as const;

export function toHold(row: HoldJson): Hold {
  return {
    reservationId: reservationId(row.reservationId),
    userId: userId(row.userId),
    concertId: concertId(row.concertId),
    date: concertDate(row.date),
    seatNumbers: row.seatNumbers,
  };
}

export function toReservation(row: ReservationJson): Reservation {
  return {
    ...toHold(row),
    status: row.status,
    amount: row.amount,
    currency: row.currency,
    heldUntil: new Date(row.heldUntil),
    heldForSeconds: row.heldForSeconds,
    createdAt: new Date(row.createdAt),
    ...(row.strandedSeatNumbers === undefined ? {} : { strandedSeatNumbers: row.strandedSeatNumbers }),
  };
}
