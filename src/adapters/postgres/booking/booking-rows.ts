import type { ReservationStatus } from '#domain/booking/reservation.ts';

// The replies of the SQL functions and statements of booking.

export type Remembered<Answer> = { readonly answer: Answer; readonly replayed: boolean };

export type ReservationJson = {
  readonly reservationId: string;
  readonly userId: string;
  readonly concertId: string;
  readonly date: string;
  readonly seatNumbers: number[];
  readonly status: ReservationStatus;
  readonly amount: number;
  readonly currency: string;
  readonly heldUntil: string;
  readonly heldForSeconds: number;
  readonly createdAt: string;
  readonly strandedSeatNumbers?: number[];
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

export type PayReply = Remembered<PaymentJson> & { readonly date: string; readonly seatNumbers: number[] };

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

export type ReleaseReply = {
  readonly answer: { readonly concertId: string; readonly date: string; readonly seatNumbers: number[] };
};

export type OutboxMessageRow = {
  readonly messageId: string;
  readonly version: string;
  readonly sequence: string | null;
  readonly epoch: string | null;
  readonly reservationId: string;
  readonly userId: string;
  readonly concertId: string;
  readonly date: string;
  readonly seatNumbers: number[];
  readonly status: ReservationStatus;
  readonly paid: boolean;
  readonly remainingMs: string;
};
