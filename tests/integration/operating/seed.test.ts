import { afterAll, expect, test } from 'vitest';
import { postgresConcerts } from '#adapters/postgres/catalog/concerts.ts';
import { seedDemo } from '#adapters/postgres/install/seed-demo.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { openPostgres } from '#tests/support/open-postgres.ts';

const databaseUrl = await freshDatabase();
const postgres = openPostgres(databaseUrl, { poolMax: 4 });
afterAll(() => postgres.close());

/** All that the demo consists of. */
async function demo(): Promise<unknown> {
  const { rows } = await postgres.pool.query(
    `SELECT c, d, s FROM concerts c JOIN concert_dates d USING (concert_id) JOIN seats s USING (concert_id, date) ORDER BY d.date, s.seat_number`,
  );
  return rows;
}

test('the demo is on sale: several future dates, seats 1 to 50, in the currency of the settings', async () => {
  await seedDemo(postgres, 'KRW');
  const concerts = postgresConcerts(postgres, POLICY);
  const [concert] = await concerts.listServed();
  if (concert === undefined) throw new RangeError('no concert is on sale');
  expect(concert).toMatchObject({ currency: 'KRW', sales: 'OPEN' });
  const dates = await concerts.listDates(concert.concertId);
  expect(dates.length).toBeGreaterThan(1);
  for (const { date, seatsAvailable } of dates) {
    expect(seatsAvailable).toBe(50);
    const seats = await concerts.listSeats(concert.concertId, date);
    expect(seats?.map(({ seatNumber }) => seatNumber)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(seats?.every(({ price }) => price > 0)).toBe(true);
  }
});

test('seeding it again, also concurrently, changes nothing', async () => {
  await seedDemo(postgres, 'KRW');
  const before = await demo();
  await Promise.all(Array.from({ length: 4 }, () => seedDemo(postgres, 'KRW')));
  expect(await demo()).toEqual(before);
});
