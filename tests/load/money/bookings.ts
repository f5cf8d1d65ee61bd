import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { AccessTokens } from '#adapters/http/guards/access-token.ts';
import { type ConcertId, concertId, userId } from '#domain/ids.ts';
import type { ServerProcess, Worker } from '#tests/load/processes.ts';
import { makeUsers, PRICE } from '#tests/support/hall.ts';
import type { Visits, VisitsResult } from './buyers.ts';

const SEATS_A_DATE = 50;
const ROUND_SECONDS = 6;
/** More than anything here sells in a round. */
const BUYERS_A_ROUND = 8_000;
const AT_ONCE = 64;
const SALES_FOR_YEARS = '2080-01-01';

/** Complete bookings through these instances, round by round, after a short one that does not count. */
export async function measureBookings(
  pool: Pool,
  identity: AccessTokens,
  buyers: Worker<Visits, VisitsResult>,
  servers: readonly ServerProcess[],
  rounds: number,
): Promise<VisitsResult[]> {
  const results: VisitsResult[] = [];
  for (let round = 0; round <= rounds; round++) {
    const { concertId: hall, dates } = await openDates(pool, BUYERS_A_ROUND / SEATS_A_DATE);
    const users = await makeUsers(pool, BUYERS_A_ROUND, PRICE);
    const result = await buyers.ask({
      urls: servers.map(({ url }) => url),
      concertId: hall,
      seconds: round === 0 ? ROUND_SECONDS / 2 : ROUND_SECONDS,
      atOnce: AT_ONCE,
      buyers: users.map((id, index) => ({
        ...{ userId: id, accessToken: identity.issue(userId(id)).accessToken },
        date: dates[index % dates.length] ?? '',
        seatNumber: Math.floor(index / dates.length) + 1,
      })),
    });
    if (round > 0) results.push(result);
  }
  return results;
}

/** A concert in a hall of fifty seats, played on many days. */
async function openDates(pool: Pool, count: number): Promise<{ concertId: ConcertId; dates: string[] }> {
  const id = concertId(randomUUID());
  await pool.query(
    `INSERT INTO concerts (concert_id, title, venue, currency, sales_open_at, active_max)
     VALUES ($1, 'A bench', 'A hall', 'KRW', '2020-01-01', 10000)`,
    [id],
  );
  const { rows } = await pool.query<{ date: string }>(
    `INSERT INTO concert_dates (concert_id, date, starts_at)
     SELECT $1, day, day + time '19:00' FROM generate_series(1, $2::integer) n, LATERAL (SELECT $3::date + n AS day) days
     RETURNING date::text`,
    [id, count, SALES_FOR_YEARS],
  );
  await pool.query(
    `INSERT INTO seats (concert_id, date, seat_number, price)
     SELECT concert_id, date, n, $2 FROM concert_dates CROSS JOIN generate_series(1, $3::integer) n WHERE concert_id = $1`,
    [id, PRICE, SEATS_A_DATE],
  );
  return { concertId: id, dates: rows.map(({ date }) => date) };
}
