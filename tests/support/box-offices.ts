import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, inject } from 'vitest';
import type { IdempotencyKey } from '#domain/idempotency.ts';
import { type ConcertId, paymentId, reservationId, userId } from '#domain/ids.ts';
import type { EntryId } from '#domain/queue/queue.ts';
import type { BoxOffice, HoldOutcome, Paid } from '#ports/booking/box-office.ts';
import { DATE } from './hall.ts';
import { realPorts } from './real-ports.ts';

export type BoxOffices = {
  /** One after the other, and again from the beginning. */
  officeFor(index: number): BoxOffice;
  readonly pools: readonly Pool[];
  /** The test's own: it gets a connection though all of theirs are taken. */
  readonly pool: Pool;
};

const OFFICES = 3;

/** Box offices below HTTP, where nothing of the line decides who comes first. Called at the top of a suite; they end with it. */
export async function threeBoxOffices(databaseUrl: string): Promise<BoxOffices> {
  const starts = Array.from({ length: OFFICES }, () => realPorts(databaseUrl, inject('redisUrl')));
  const offices = await Promise.all(starts);
  const pool = new Pool({ connectionString: databaseUrl, max: 4 });
  // The database may be dropped before the last connection has gone; whatever else is lost, a query will say so.
  pool.on('error', () => {});
  afterAll(() => Promise.all([pool.end(), ...offices.map(({ close }) => close())]));
  return {
    officeFor(index) {
      const office = offices[index % OFFICES];
      if (office === undefined) throw new RangeError('no box office');
      return office.ports.boxOffice;
    },
    pools: offices.map((office) => office.pool),
    pool,
  };
}

export const placeOf = (concertId: ConcertId, id = ''): EntryId => ({
  userId: userId(id),
  concertId,
  sequence: 1,
  epoch: 'none',
});

/** A request of its own, each time. */
export const newRequest = ({ userId }: EntryId): IdempotencyKey => ({
  userId,
  key: randomUUID(),
  fingerprint: 'asked',
});

export function holdAt(office: BoxOffice, entry: EntryId, seatNumber: number): Promise<HoldOutcome> {
  const seats = { concertId: entry.concertId, date: DATE, seatNumbers: [seatNumber] };
  const terms = {
    holdSeconds: 300,
    seatsPerUserMax: 1_000,
    holdsPerSessionMax: 10_000,
    sessionSeconds: 600,
    strandedSeats: 'off' as const,
  };
  const order = { userId: entry.userId, reservationId: reservationId(randomUUID()), entry, request: newRequest(entry) };
  return office.hold({ ...seats, ...terms, ...order });
}

/** Holds a seat that nobody has; answers the reservation's id. */
export async function heldAt(office: BoxOffice, entry: EntryId, seatNumber: number): Promise<string> {
  const outcome = await holdAt(office, entry, seatNumber);
  if (outcome.outcome !== 'held') throw new Error('the seat is taken');
  return outcome.answer.reservationId;
}

export function payAt(office: BoxOffice, entry: EntryId, id: string): Promise<Paid> {
  const paid = { paymentId: paymentId(randomUUID()), reservationId: reservationId(id) };
  return office.pay({ ...paid, entry, request: newRequest(entry) });
}

/** The deadline of a hold is so far off from now on, or just over. */
export async function endHoldIn(pool: Pool, id: string, milliseconds: number): Promise<void> {
  await pool.query(
    `WITH deadline AS (SELECT clock_timestamp() + make_interval(secs => $2::float8 / 1000) AS at),
       moved AS (UPDATE reservations SET held_until = at FROM deadline WHERE reservation_id = $1)
     UPDATE seats SET held_until = at FROM deadline WHERE reservation_id = $1`,
    [id, milliseconds],
  );
}
