import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import type { Currency } from '#domain/wallet/money.ts';

/** Constant, so that examples can be pasted. */
const DEMO_CONCERT = '01939c5e-0000-7000-8000-000000000001';
const DEMO_DAYS_AHEAD = [7, 14, 21];
const DEMO_HOUR_UTC = 10;
const HALL_SEATS = 50;
const SEAT_PRICE = 50_000n;
const DAY_MS = 86_400_000;

/** Creates a demo concert with dates to come and seats 1 to 50. Does nothing while it has a date to come. */
export async function seedDemo({ pool, prisma: openPrisma }: Postgres, currency: Currency): Promise<void> {
  const now = new Date();
  const ahead = 'SELECT FROM concert_dates WHERE concert_id = $1 AND starts_at > $2 LIMIT 1';
  if ((await pool.query(ahead, [DEMO_CONCERT, now])).rowCount !== 0) return;

  const concert = {
    concertId: DEMO_CONCERT,
    title: 'The Frontrow Demo',
    venue: 'Small Hall',
    currency,
    salesOpenAt: now,
  };
  const dates = DEMO_DAYS_AHEAD.map((days) => {
    const startsAt = new Date(now.getTime() + days * DAY_MS);
    startsAt.setUTCHours(DEMO_HOUR_UTC, 0, 0, 0);
    const date = new Date(startsAt);
    date.setUTCHours(0);
    return { concertId: DEMO_CONCERT, date, startsAt };
  });
  const seats = dates.flatMap(({ concertId, date }) =>
    Array.from({ length: HALL_SEATS }, (_, index) => ({ concertId, date, seatNumber: index + 1, price: SEAT_PRICE })),
  );
  const prisma = await openPrisma();
  await prisma.$transaction([
    prisma.concert.createMany({ data: concert, skipDuplicates: true }),
    prisma.concertDate.createMany({ data: dates, skipDuplicates: true }),
    prisma.seat.createMany({ data: seats, skipDuplicates: true }),
  ]);
}
