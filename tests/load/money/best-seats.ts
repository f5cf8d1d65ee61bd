import { v7 as newId } from 'uuid';
import { postgresBoxOffice } from '#adapters/postgres/booking/box-office.ts';
import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { reservationId, userId } from '#domain/ids.ts';
import { DATE, makeUsers, openHall } from '#tests/support/hall.ts';

const SEATS = 1_000;

/** Holds per second, round by round, while as many buyers as seats ask for the best one at once. Fails if one is refused. */
export async function measureBestSeats(postgres: Postgres, rounds: number): Promise<readonly number[]> {
  const boxOffice = postgresBoxOffice(postgres);
  const rates: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const concertId = await openHall(postgres.pool, { seats: SEATS });
    const users = (await makeUsers(postgres.pool, SEATS)).map((id) => userId(id));
    const start = performance.now();
    await Promise.all(
      users.map((user) =>
        boxOffice.holdBest({
          ...{ concertId, date: DATE, userId: user, reservationId: reservationId(newId()), wish: { quantity: 1 } },
          ...{
            holdSeconds: 300,
            seatsPerUserMax: 4,
            holdsPerSessionMax: 10_000,
            sessionSeconds: 600,
            strandedSeats: 'off',
          },
          entry: { concertId, userId: user, sequence: 1, epoch: 'AAAAAAAA' },
          request: { userId: user, key: newId(), fingerprint: newId() },
        }),
      ),
    );
    if (round > 0) rates.push(SEATS / ((performance.now() - start) / 1_000));
  }
  return rates;
}
