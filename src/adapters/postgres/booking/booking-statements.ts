import type { Reply, Statement } from '#adapters/postgres/client/statement.ts';
import type { StrandedSeats } from '#domain/booking/best-seats.ts';
import type { ReservationStatus } from '#domain/booking/reservation.ts';

// What is asked of reservations, payments and balances.

type Remembered<Answer> = { readonly answer: Answer; readonly replayed: boolean };
type RequestValues = [key: string, fingerprint: string];
type SeatValues = [concertId: string, date: string, seatNumbers: readonly number[]];

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

export type ChargeJson = {
  readonly chargeId: string;
  readonly userId: string;
  readonly amount: number;
  readonly balance: number;
  readonly currency: string;
  readonly chargedAt: string;
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
export type ExtendReply = Remembered<ReservationJson> & { readonly remainingMs?: number };

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

export type AftermathRow = {
  readonly eventId: string;
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

/** A hold past its deadline is over, whether or not the expiry job has written that down. */
const reservationColumns = `
  reservation_id AS "reservationId", user_id AS "userId", concert_id AS "concertId", date::text,
  ARRAY(SELECT seat_number FROM reservation_seats s WHERE s.reservation_id = r.reservation_id ORDER BY 1) AS "seatNumbers",
  CASE WHEN status = 'HELD' AND held_until <= clock_timestamp() THEN 'EXPIRED' ELSE status END AS status,
  amount::float8, currency, held_until AS "heldUntil", held_for_seconds AS "heldForSeconds", created_at AS "createdAt"`;

export const bookingStatements = {
  holdSeats: {
    name: 'hold-chosen-seats',
    text: 'SELECT hold_chosen_seats($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS reply',
  } as Statement<
    [
      reservationId: string,
      userId: string,
      concertId: string,
      date: string,
      seatNumbers: readonly number[],
      holdSeconds: number,
      seatsPerUserMax: number,
      strandedSeats: StrandedSeats,
      sequence: number,
      epoch: string,
      ...RequestValues,
    ],
    Reply<HoldReply>
  >,

  holdBestSeats: {
    name: 'hold-best-seats',
    text: 'SELECT hold_best_seats($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) AS reply',
  } as Statement<
    [
      reservationId: string,
      userId: string,
      concertId: string,
      date: string,
      quantity: number,
      section: string | undefined,
      grade: string | undefined,
      holdSeconds: number,
      seatsPerUserMax: number,
      strandedSeats: StrandedSeats,
      sequence: number,
      epoch: string,
      ...RequestValues,
    ],
    Reply<HeldReply>
  >,

  blockSeats: {
    name: 'block-seats',
    text: 'SELECT block_seats($1, $2, $3) AS reply',
  } as Statement<SeatValues, Reply<{ readonly answer: true }>>,

  unblockSeats: {
    name: 'unblock-seats',
    text: 'SELECT unblock_seats($1, $2, $3) AS reply',
  } as Statement<SeatValues, Reply<{ readonly answer: true }>>,

  recallAnswer: {
    name: 'recall-answer',
    text: 'SELECT recall_answer($1, $2, $3) AS reply',
  } as Statement<[userId: string, ...RequestValues], Reply<Remembered<unknown> | null>>,

  payReservation: {
    name: 'pay-reservation',
    text: 'SELECT pay_reservation($1, $2, $3, $4, $5, $6, $7, $8) AS reply',
  } as Statement<
    [
      paymentId: string,
      userId: string,
      concertId: string,
      reservationId: string,
      sequence: number,
      epoch: string,
      ...RequestValues,
    ],
    Reply<PayReply>
  >,

  releaseReservation: {
    name: 'release-reservation',
    text: 'SELECT release_reservation($1, $2) AS reply',
  } as Statement<[userId: string, reservationId: string], Reply<ReleaseReply>>,

  extendHold: {
    name: 'extend-hold',
    text: 'SELECT extend_hold($1, $2, $3, $4, $5, $6, $7, $8, $9) AS reply',
  } as Statement<
    [
      userId: string,
      concertId: string,
      reservationId: string,
      holdSeconds: number,
      holdSecondsMax: number,
      sequence: number,
      epoch: string,
      ...RequestValues,
    ],
    Reply<ExtendReply>
  >,

  cancelReservation: {
    name: 'cancel-reservation',
    text: 'SELECT cancel_reservation($1, $2, $3, $4, $5, $6) AS reply',
  } as Statement<
    [refundId: string, userId: string, reservationId: string, refundUntilSeconds: number, ...RequestValues],
    Reply<Remembered<CancellationJson>>
  >,

  openWallet: {
    name: 'open-wallet',
    text: `WITH new_user AS (INSERT INTO users (user_id) VALUES ($1) ON CONFLICT DO NOTHING)
      INSERT INTO wallets (user_id, currency) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
  } as Statement<[userId: string, currency: string], never>,

  chargeBalance: {
    name: 'charge-balance',
    text: 'SELECT charge_balance($1, $2, $3, $4, $5, $6) AS reply',
  } as Statement<
    [chargeId: string, userId: string, amount: number, balanceMax: number, ...RequestValues],
    Reply<Remembered<ChargeJson>>
  >,

  findBalance: {
    name: 'find-balance',
    text: 'SELECT balance::float8, currency FROM wallets WHERE user_id = $1',
  } as Statement<[userId: string], { readonly balance: number; readonly currency: string }>,

  expireHolds: {
    name: 'expire-holds',
    text: 'SELECT expire_holds($1) AS count',
  } as Statement<[batchMax: number], { readonly count: number }>,

  forgetAnswers: {
    name: 'forget-answers',
    text: 'SELECT forget_answers($1, $2) AS count',
  } as Statement<[hours: number, batchMax: number], { readonly count: number }>,

  takeOutboxMessages: {
    name: 'take-aftermaths',
    text: `SELECT event_id AS "eventId", sequence, epoch, reservation_id AS "reservationId", user_id AS "userId",
      concert_id AS "concertId", date::text, seat_numbers AS "seatNumbers", status, paid, remaining_ms AS "remainingMs"
      FROM take_due_aftermaths($1, $2)`,
  } as Statement<[batchMax: number, leaseSeconds: number], AftermathRow>,

  ackOutboxMessages: {
    name: 'settle-aftermaths',
    text: 'DELETE FROM outbox WHERE event_id = ANY ($1::bigint[])',
  } as Statement<[eventIds: readonly string[]], never>,

  retryOutboxMessages: {
    name: 'defer-aftermaths',
    text: 'UPDATE outbox SET due_at = clock_timestamp() + make_interval(secs => $2) WHERE event_id = ANY ($1::bigint[])',
  } as Statement<[eventIds: readonly string[], seconds: number], never>,

  findReservation: {
    name: 'find-reservation',
    text: `SELECT ${reservationColumns} FROM reservations r WHERE reservation_id = $1 AND user_id = $2`,
  } as Statement<[reservationId: string, userId: string], ReservationJson>,

  listReservations: {
    name: 'list-reservations',
    text: `SELECT ${reservationColumns} FROM reservations r
      WHERE user_id = $1 AND ($2::uuid IS NULL OR reservation_id < $2) ORDER BY reservation_id DESC LIMIT $3`,
  } as Statement<[userId: string, after: string | undefined, limit: number], ReservationJson>,
};
