import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { v7 as newId } from 'uuid';
import type { Reservation } from '#domain/booking/reservation.ts';
import { type ConcertId, paymentId, refundId, reservationId, userId } from '#domain/ids.ts';
import type { EntryId } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';
import { granted } from '#tests/contracts/store-harness.ts';
import { DATE, makeUsers, PRICE } from './hall.ts';

/** One person at the box office, without line and HTTP in front: holds a seat, pays for it, and gives it back. */
export type Story = { readonly held: Reservation; pay(): Promise<unknown>; cancel(): Promise<unknown> };

export async function beginStory(
  { boxOffice }: Pick<Ports, 'boxOffice'>,
  pool: Pool,
  concertId: ConcertId,
  seatNumber: number,
): Promise<Story> {
  const [id = ''] = await makeUsers(pool, 1, PRICE);
  const entry: EntryId = { userId: userId(id), concertId, sequence: 1, epoch: 'AAAAAAAA' };
  const request = () => ({ userId: entry.userId, key: randomUUID(), fingerprint: '' });
  const held = granted(
    await boxOffice.hold({
      ...{ userId: entry.userId, concertId, date: DATE, seatNumbers: [seatNumber], entry, request: request() },
      reservationId: reservationId(newId()),
      holdSeconds: 300,
      seatsPerUserMax: 4,
      holdsPerSessionMax: 10_000,
      sessionSeconds: 600,
      strandedSeats: 'off',
    }),
  );
  const { reservationId: reserved } = held;
  return {
    held,
    pay: () => boxOffice.pay({ paymentId: paymentId(newId()), reservationId: reserved, entry, request: request() }),
    cancel: () =>
      boxOffice.cancel({
        ...{ refundId: refundId(newId()), reservationId: reserved, refundUntilSeconds: 0, request: request() },
      }),
  };
}
