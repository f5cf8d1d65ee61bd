import type { Pool } from 'pg';

type Place = { readonly concertId: string; readonly date: string; readonly seatNumber: number };

/** Limits the seats in memory. */
export const SEATS_PER_PAGE = 1_000;
const BEFORE_ALL: Place = { concertId: '00000000-0000-0000-0000-000000000000', date: '-infinity', seatNumber: 0 };

/**
 * Yields all results page by page, in the order of concerts, dates and seats.
 *
 * @param search a query of `seats s` that returns the place of each seat and ends in its conditions; more are appended
 */
export async function* seatPages<Row extends Place>(pool: Pool, search: string): AsyncGenerator<readonly Row[]> {
  for (let { concertId, date, seatNumber } = BEFORE_ALL; ; ) {
    const { rows } = await pool.query<Row>(
      `${search} AND (s.concert_id, s.date, s.seat_number) > ($1, $2, $3)
       ORDER BY s.concert_id, s.date, s.seat_number LIMIT ${SEATS_PER_PAGE}`,
      [concertId, date, seatNumber],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    ({ concertId, date, seatNumber } = last);
  }
}
