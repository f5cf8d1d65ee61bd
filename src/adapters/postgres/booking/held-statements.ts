import type { Statement } from '#adapters/postgres/client/statement.ts';

// What is asked about the seats that are held right now, by whoever has lost their marks.

export type HeldSeatRow = {
  readonly seatNumber: number;
  readonly userId: string;
  readonly reservationId: string;
  readonly remainingMs: number;
};

const heldSeats = `
  SELECT s.seat_number AS "seatNumber", r.user_id AS "userId", s.reservation_id AS "reservationId",
    (extract(epoch FROM s.held_until - clock_timestamp()) * 1000)::float8 AS "remainingMs"
  FROM seats s JOIN reservations r USING (reservation_id)
  WHERE s.concert_id = $1 AND s.date = $2 AND s.status = 'HELD' AND s.held_until > clock_timestamp()`;

/** The first date with a hold that is live when the statement begins: unlike `clock_timestamp()` that can be looked up in an index. */
const firstDateHeld = (where: string) => `
  SELECT concert_id, date FROM seats
  WHERE status = 'HELD' AND held_until > statement_timestamp() ${where} ORDER BY concert_id, date LIMIT 1`;

export const heldStatements = {
  /** From date to date, whatever is held there: as a DISTINCT it would read every held seat, each second. */
  listDatesHeld: {
    name: 'list-dates-held',
    text: `WITH RECURSIVE held AS (
        (${firstDateHeld('')})
        UNION ALL
        SELECT next.* FROM held
        CROSS JOIN LATERAL (${firstDateHeld('AND (concert_id, date) > (held.concert_id, held.date)')}) AS next)
      SELECT concert_id AS "concertId", date::text FROM held`,
  } as Statement<[], { readonly concertId: string; readonly date: string }>,

  listHeld: {
    name: 'list-held',
    text: `${heldSeats} AND seat_number > $3 ORDER BY seat_number LIMIT $4`,
  } as Statement<[concertId: string, date: string, after: number, max: number], HeldSeatRow>,

  findHeld: {
    name: 'find-held',
    text: `${heldSeats} AND seat_number = ANY ($3) ORDER BY seat_number`,
  } as Statement<[concertId: string, date: string, seatNumbers: readonly number[]], HeldSeatRow>,
};
