import type { Statement } from './statements.ts';

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

export const heldStatements = {
  /** By the time at which it began: unlike `clock_timestamp()` it can be looked up in an index. */
  listDatesHeld: {
    name: 'list-dates-held',
    text: `SELECT concert_id AS "concertId", date::text FROM (
        SELECT DISTINCT concert_id, date FROM seats WHERE status = 'HELD' AND held_until > statement_timestamp()) AS held`,
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
