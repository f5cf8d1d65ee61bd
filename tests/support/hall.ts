import { randomUUID } from 'node:crypto';
import type { ClientBase, Pool } from 'pg';
import { functionSchema } from '#adapters/postgres/client/function-set.ts';
import { answerIn, askOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import type { OrphanSeats } from '#domain/booking/best-seats.ts';
import { type ConcertId, concertDate, concertId } from '#domain/ids.ts';

/** The one date that a test's concert is played on: far enough off to outlive the code. */
export const DATE = concertDate('2099-05-01');
export const PRICE = 1_000;

export type Hall = {
  readonly seats?: number;
  readonly activeMax?: number;
  readonly sessionSeconds?: number;
  readonly absentSeconds?: number;
  readonly holdSeconds?: number;
  readonly holdSecondsMax?: number;
  readonly refundUntilSeconds?: number;
  readonly seatsPerUserMax?: number;
  readonly holdsPerSessionMax?: number;
  readonly strandedSeats?: OrphanSeats;
  readonly paused?: boolean;
};

/** Puts a concert on sale: its own, so that tests do not meet. */
export async function openHall(pool: Pool, hall: Hall = {}): Promise<ConcertId> {
  const { seats = 50, activeMax = 10_000, sessionSeconds = 600, holdSeconds = 300, seatsPerUserMax = 4 } = hall;
  const {
    holdsPerSessionMax,
    holdSecondsMax = 600,
    refundUntilSeconds = 0,
    strandedSeats,
    paused = false,
    absentSeconds,
  } = hall;
  const id = concertId(randomUUID());
  await pool.query(
    `INSERT INTO concerts
       (concert_id, title, venue, currency, sales_open_at, active_max, session_seconds, hold_seconds, seats_per_user_max,
        hold_seconds_max, refund_until_seconds, orphan_seats, paused, absent_seconds, holds_per_session_max)
     VALUES ($1, 'A test', 'A hall', 'KRW', '2020-01-01', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      id,
      activeMax,
      sessionSeconds,
      holdSeconds,
      seatsPerUserMax,
      holdSecondsMax,
      refundUntilSeconds,
      strandedSeats,
      paused,
      absentSeconds,
      holdsPerSessionMax,
    ],
  );
  await pool.query(`INSERT INTO concert_dates (concert_id, date, starts_at) VALUES ($1, $2, $2::date + time '19:00')`, [
    id,
    DATE,
  ]);
  await pool.query(
    'INSERT INTO seats (concert_id, date, seat_number, price) SELECT $1, $2, n, $3 FROM generate_series(1, $4::integer) n',
    [id, DATE, PRICE, seats],
  );
  return id;
}

/** Users with a wallet each, and something in it. Answers their ids. */
export async function makeUsers(pool: Pool, count: number, balance = 0): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await pool.query('INSERT INTO users (user_id) SELECT unnest($1::uuid[])', [ids]);
  await pool.query(`INSERT INTO wallets (user_id, currency) SELECT unnest($1::uuid[]), 'KRW'`, [ids]);
  if (balance > 0) {
    await pool.query(
      `SELECT ${functionSchema}.charge_balance(gen_random_uuid(), id, $2, 1000000000, 'opening', 'opening') FROM unnest($1::uuid[]) id`,
      [ids, balance],
    );
  }
  return ids;
}

export type HeldSeats = {
  readonly user: string | undefined;
  readonly concert: string;
  readonly seats: readonly number[];
  readonly holdSeconds?: number;
};

/** Holds seats in Postgres alone, past queue, Redis and limit of seats. Returns the reservation. */
export async function holdSeats(
  connection: Pool | ClientBase,
  { user = '', concert, seats, holdSeconds = 300 }: HeldSeats,
): Promise<string> {
  const id = randomUUID();
  const order = [
    id,
    user,
    concert,
    DATE,
    seats,
    holdSeconds,
    seats.length + 1_000,
    10_000,
    600,
    'off',
    1,
    'none',
  ] as const;
  const reply = answerIn(await askOf(connection)(functions.holdChosenSeats, ...order, randomUUID(), 'asked'));
  if ('occupied' in reply) throw new RangeError(`taken: ${JSON.stringify(reply.occupied)}`);
  return id;
}

/** The holds of a reservation have ended just now, though nobody has tidied them away. */
export async function lapse(pool: Pool, reservationId: string): Promise<void> {
  await pool.query(
    `WITH lapsed AS (UPDATE reservations SET held_until = clock_timestamp() - interval '1 ms' WHERE reservation_id = $1)
     UPDATE seats SET held_until = clock_timestamp() - interval '1 ms' WHERE reservation_id = $1`,
    [reservationId],
  );
}
