import { randomInt } from 'node:crypto';
import { user } from '#adapters/http/wallet/user-schemas.ts';
import type { ConcertId } from '#domain/ids.ts';
import { type Answer, fanAt, send } from '#tests/support/fan.ts';
import { DATE, PRICE } from '#tests/support/hall.ts';
import { until } from '#tests/support/until.ts';

/** More than are ever booked by way of trial. */
export const TRIAL_SEATS = 2_000;

/**
 * Somebody new does all there is to do, through one instance: becomes a user, joins, is let in, looks for a seat, reserves it,
 * charges the balance and pays.
 *
 * @param patienceMs for each answer, before they hang up
 * @throws Error at the first step that fails
 */
export async function bookOnce(url: string, concertId: ConcertId, patienceMs: number): Promise<void> {
  const signal = AbortSignal.timeout(patienceMs);
  const made = await send(`${url}/v1/users`, { method: 'POST', signal });
  const fan = fanAt(() => url, user.parse(expected(made, 201)), patienceMs);
  expected(await fan.join(concertId), 201);
  await until('they are let in', async () => expected(await fan.poll(), 200).status === 'ACTIVE');
  const { items = [] } = expected(
    await fan.call('GET', `/concerts/${concertId}/dates/${DATE}/seats?available=true`),
    200,
  );
  const seat = items[randomInt(items.length)]?.seatNumber ?? 0;
  const { reservationId = '' } = expected(await fan.reserve([seat]), 201);
  expected(await fan.charge(PRICE), 201);
  expected(await fan.pay(reservationId), 201);
}

function expected({ status, body }: Answer, wanted: number): Answer['body'] {
  if (status !== wanted) throw new Error(`${status} ${body.code}`);
  return body;
}
