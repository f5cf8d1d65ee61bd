import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { HANG_MS } from '#tests/support/until.ts';
import { type AnyAnswer, type Client, expected } from './client.ts';

type Booking = {
  /** By default any that is free. */
  readonly seatNumber?: number;
  /** Charged before the payment. */
  readonly charge?: number;
};

const POLL_EVERY_MS = 25;

/**
 * Joins, polls until admitted, lists the seats, reserves one and pays.
 *
 * @throws Error at the first answer with another status than that of success, for example `reserve: 409 seat-taken`
 */
export async function bookOnce<Reply extends AnyAnswer>(
  client: Client<Reply>,
  concertId: string,
  { seatNumber, charge }: Booking,
): Promise<void> {
  const limit = performance.now() + HANG_MS;
  let { status } = expected('join', 201, await client.join(concertId));
  while (status !== 'ACTIVE' && performance.now() < limit) {
    ({ status } = expected('poll', 200, await client.poll()));
    if (status !== 'ACTIVE') await pause(POLL_EVERY_MS);
  }
  const query = seatNumber === undefined ? '?available=true' : '';
  const { items = [] } = expected('seats', 200, await client.seats(concertId, query));
  const seat = seatNumber ?? items[randomInt(items.length)]?.seatNumber ?? 0;
  const { reservationId = '' } = expected('reserve', 201, await client.reserve([seat]));
  if (charge !== undefined) expected('charge', 201, await client.charge(charge));
  expected('pay', 201, await client.pay(reservationId));
}
