import { randomUUID } from 'node:crypto';
import { postgresBoxOffice } from '#adapters/postgres/booking/box-office.ts';
import { paymentId, refundId, reservationId, userId } from '#domain/ids.ts';
import { DATE, makeUsers, openHall, PRICE } from './hall.ts';
import { openPostgres } from './open-postgres.ts';

/** Who bought what, by the ids of users, reservations and payments. */
export type SoldHall = Readonly<
  Record<'concert' | 'date' | 'one' | 'other' | 'sold' | 'payment' | 'refunded' | 'refundedPayment' | 'held', string>
>;

/**
 * Fills a database through the box office: seat 1 is sold to one user, seat 2 was refunded to that user and sold to the other,
 * seat 3 is held by the other, seats 4 and 5 are free. Each began with nine times the price of a seat.
 */
export async function sellHall(databaseUrl: string): Promise<SoldHall> {
  const postgres = openPostgres(databaseUrl, { poolMax: 1 });
  const boxOffice = postgresBoxOffice(postgres);
  const concert = await openHall(postgres.pool, { seats: 5 });
  const [one = '', other = ''] = await makeUsers(postgres.pool, 2, 9 * PRICE);
  const requestOf = (user: string) => ({ userId: userId(user), key: randomUUID(), fingerprint: 'asked' });
  const placeOf = (user: string) => ({ userId: userId(user), concertId: concert, sequence: 1, epoch: 'none' });

  async function hold(user: string, seatNumber: number) {
    const id = reservationId(randomUUID());
    const outcome = await boxOffice.hold({
      ...{ userId: userId(user), concertId: concert, date: DATE, seatNumbers: [seatNumber], reservationId: id },
      ...{ entry: placeOf(user), request: requestOf(user) },
      ...{
        holdSeconds: 300,
        seatsPerUserMax: 4,
        holdsPerSessionMax: 10_000,
        sessionSeconds: 600,
        strandedSeats: 'off',
      },
    });
    if (outcome.outcome !== 'held') throw new RangeError(`seat ${seatNumber} is taken`);
    return id;
  }
  async function buy(user: string, seatNumber: number) {
    const [id, payment] = [await hold(user, seatNumber), paymentId(randomUUID())];
    const order = { entry: placeOf(user), request: requestOf(user) };
    await boxOffice.pay({ ...order, paymentId: payment, reservationId: id });
    return [id, payment] as const;
  }

  try {
    const [sold, payment] = await buy(one, 1);
    const [refunded, refundedPayment] = await buy(one, 2);
    const back = { refundId: refundId(randomUUID()), reservationId: refunded, refundUntilSeconds: 0 };
    await boxOffice.cancel({ ...back, request: requestOf(one) });
    await buy(other, 2);
    const held = await hold(other, 3);
    return { concert, date: DATE, one, other, sold, payment, refunded, refundedPayment, held };
  } finally {
    await postgres.close();
  }
}
