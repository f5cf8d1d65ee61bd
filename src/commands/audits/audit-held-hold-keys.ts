import type { Pool } from 'pg';
import { seatKeys } from '#adapters/redis/keys.ts';
import { markOf } from '#adapters/redis/seats/redis-hold-keys.ts';
import type { Hold } from '#domain/booking/reservation.ts';
import { concertDate, concertId, reservationId, userId } from '#domain/ids.ts';
import { VIOLATIONS_SHOWN_MAX, type Violation } from './audit-books.ts';
import { seatPages } from './seat-pages.ts';

export type HeldMarksAudit = {
  /** How many seats were compared with their marks. */
  readonly compared: number;
  /** Empty if all of them are right. */
  readonly violations: readonly Violation[];
};

const INVARIANT = 'a held seat is marked in Redis for who holds it';

/** Tells the mark of a seat. */
type Marks = { get(key: string): Promise<string | null> };
/** One seat of a hold. */
type HeldSeat = Hold & { readonly seatNumber: number };

type HeldRow = {
  readonly concertId: string;
  readonly date: string;
  readonly seatNumber: number;
  readonly userId: string;
  readonly reservationId: string;
};

/** Seats that go on being held for a moment, and of which Redis has been told. */
const HELD = `
  SELECT s.concert_id AS "concertId", s.date::text, s.seat_number AS "seatNumber", r.user_id AS "userId",
    s.reservation_id AS "reservationId"
  FROM seats s JOIN reservations r USING (reservation_id)
  WHERE s.status = 'HELD' AND s.held_until > clock_timestamp() + interval '1 second'
    AND NOT EXISTS (SELECT FROM outbox o WHERE o.reservation_id = s.reservation_id)`;

/**
 * Compares the marks of all seats that are held with what Postgres says. A mark that is missing or of somebody else lets
 * nobody have the seat; but it lets the crowd through to Postgres, or keeps the wrong people off.
 *
 * Seats change hands while this looks, so whatever seems wrong is looked at again.
 */
export async function auditHeldMarks(pool: Pool, redis: Marks): Promise<HeldMarksAudit> {
  const first: string[] = [];
  let [compared, count] = [0, 0];
  for await (const rows of seatPages<HeldRow>(pool, HELD)) {
    const page = rows.map(toSeat);
    compared += page.length;
    const suspects = (await compare(redis, page)).map(({ seat }) => seat);
    const wrong = suspects.length === 0 ? [] : await compare(redis, await stillHeld(pool, suspects));
    count += wrong.length;
    for (const { seat, mark } of wrong) {
      if (first.length < VIOLATIONS_SHOWN_MAX) first.push(described(seat, mark));
    }
  }
  return { compared, violations: count === 0 ? [] : [{ invariant: INVARIANT, count, first }] };
}

async function stillHeld(pool: Pool, suspects: readonly HeldSeat[]): Promise<readonly HeldSeat[]> {
  const { rows } = await pool.query<HeldRow>(
    `${HELD} AND s.reservation_id = ANY ($1) ORDER BY s.concert_id, s.date, s.seat_number`,
    [[...new Set(suspects.map((seat) => seat.reservationId))]],
  );
  const keys = new Set(suspects.map(keyOf));
  return rows.map(toSeat).filter((seat) => keys.has(keyOf(seat)));
}

/** The seats whose marks are not theirs, and what they say. */
async function compare(redis: Marks, seats: readonly HeldSeat[]) {
  // One by one, because in a cluster each may be elsewhere.
  const marks = await Promise.all(seats.map((seat) => redis.get(keyOf(seat))));
  return seats.flatMap((seat, index) => {
    const mark = marks[index] ?? undefined;
    return mark === markOf(seat) ? [] : [{ seat, mark }];
  });
}

const keyOf = (seat: HeldSeat): string => seatKeys(seat)[0] ?? '';

function toSeat({ seatNumber, ...row }: HeldRow): HeldSeat {
  return {
    concertId: concertId(row.concertId),
    date: concertDate(row.date),
    userId: userId(row.userId),
    reservationId: reservationId(row.reservationId),
    seatNumber,
    seatNumbers: [seatNumber],
  };
}

function described(seat: HeldSeat, mark: string | undefined): string {
  const { seatNumber, concertId, date } = seat;
  const said = mark === undefined ? 'it is not marked' : `its mark is of ${mark}`;
  return `seat ${seatNumber} of ${concertId} on ${date} is held by ${markOf(seat)}, ${said}`;
}
