import type { Statement } from '#adapters/postgres/client/statement.ts';

export type HeldSeatRow = {
  readonly seatNumber: number;
  readonly userId: string;
  readonly reservationId: string;
  readonly remainingMs: number;
};

export const heldStatements = {
  findHeld: {
    name: 'find-held',
    text: `
      SELECT s.seat_number AS "seatNumber", r.user_id AS "userId", s.reservation_id AS "reservationId",
        ceil(extract(epoch FROM s.held_until - clock_timestamp()) * 1000)::integer AS "remainingMs"
      FROM seats s JOIN reservations r USING (reservation_id)
      WHERE s.concert_id = $1 AND s.date = $2 AND s.status = 'HELD' AND s.held_until > clock_timestamp()
        AND seat_number = ANY ($3)
      ORDER BY seat_number`,
  } as Statement<[concertId: string, date: string, seatNumbers: readonly number[]], HeldSeatRow>,
};
