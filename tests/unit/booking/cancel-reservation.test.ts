import { describe, expect, it } from 'vitest';
import { concertDate, reservationId } from '#domain/ids.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { HOUR_MS, type Staged } from '#tests/contracts/stage-concert.ts';
import { failingPorts } from '#tests/fakes/failing-ports.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { cancelReservation } from '#use-cases/booking/cancel-reservation.ts';
import { pay } from '#use-cases/booking/pay.ts';
import { reserveSeats } from '#use-cases/booking/reserve-seats.ts';

/** A fan who holds seat 1, at 10,000, and somebody else who is in. */
async function held(staged: Staged = {}) {
  const world = memoryWorld();
  const { ports } = world;
  const concert = world.stage(staged);
  const date = concert.dates[0]?.date ?? concertDate('');
  const entry = await world.fan(concert, 15_000);
  const other = await world.fan(concert);
  const request = (key: string) => ({ userId: entry.userId, key, fingerprint: key });
  const { answer: reservation } = await reserveSeats(ports, {
    ...{ entry, date, seatNumbers: [1] },
    request: request('reserve'),
  });
  const { reservationId } = reservation;
  const payIt = () => pay(ports, { entry: entry, reservationId, request: request('pay') });
  const cancel = (key = 'cancel', on = ports) => cancelReservation(on, { reservationId, request: request(key) });
  const reserveAsOther = () =>
    reserveSeats(ports, {
      ...{ entry: other, date, seatNumbers: [1] },
      request: { userId: other.userId, key: ports.newId(), fingerprint: '' },
    });
  const balance = async () => (await ports.wallets.find(entry.userId))?.balance;
  return { ...world, entry, reservation, payIt, cancel, reserveAsOther, balance };
}

describe('cancelling', () => {
  it('a hold frees the seats at once, and changes neither session nor balance', async () => {
    const { ports, entry, cancel, reserveAsOther, balance } = await held();
    const { answer } = await cancel();
    expect(answer).toMatchObject({ reservation: { status: 'CANCELLED' } });
    expect(answer).not.toHaveProperty('refund');
    expect((await reserveAsOther()).answer.status).toBe('HELD');
    expect(await ports.queue.find(entry)).toMatchObject({ status: 'ACTIVE' });
    expect(await balance()).toBe(15_000);
  });

  it('a paid reservation refunds the price, and frees the seats for the next buyer', async () => {
    const { payIt, cancel, reserveAsOther, balance } = await held();
    const { answer: paid } = await payIt();
    expect(await balance()).toBe(5_000);
    await expectRefusal(reserveAsOther(), 'seat-taken');
    const { answer } = await cancel();
    expect(answer.refund).toMatchObject({ paymentId: paid.paymentId, amount: 10_000, balance: 15_000 });
    expect(await balance()).toBe(15_000);
    expect((await reserveAsOther()).answer.status).toBe('HELD');
  });

  it('follows the policy of the concert', async () => {
    const dates = [{ startsInMs: 2 * HOUR_MS, prices: [10_000] }];
    const closed = await held({ dates, policy: { refundUntilSeconds: 7_200 } });
    await closed.payIt();
    await expectRefusal(closed.cancel(), 'refund-closed');
    const never = await held({ dates, policy: { refundUntilSeconds: -1 } });
    await never.payIt();
    await expectRefusal(never.cancel(), 'refund-closed');
    const open = await held({ dates, policy: { refundUntilSeconds: 7_199 } });
    await open.payIt();
    await open.cancel();
    expect([await closed.balance(), await never.balance(), await open.balance()]).toEqual([5_000, 5_000, 15_000]);
  });

  it('when repeated gets the first answer, and leaves the next holder of the seats alone', async () => {
    const { payIt, cancel, reserveAsOther, balance } = await held();
    await payIt();
    const { answer } = await cancel();
    await reserveAsOther();
    expect(await cancel()).toEqual({ answer, replayed: true });
    expect(await balance()).toBe(15_000);
    await expectRefusal(cancel('another'), 'already-cancelled');
  });

  it('succeeds though hold keys are unreachable, and does not call the queue', async () => {
    const { ports, payIt, cancel, balance } = await held();
    await payIt();
    const failing = failingPorts(ports, [{ nth: 4, takesEffect: false }]);
    await cancel('cancel', failing.ports);
    expect(await balance()).toBe(15_000);
    expect(failing.calls).toEqual([
      ...['boxOffice.findReservation', 'concerts.find', 'boxOffice.cancel', 'holdKeys.release'],
    ]);
  });

  it('is refused for an ended or unknown reservation, and to other users', async () => {
    const { ports, clock, user, cancel, reservation } = await held();
    const stranger = { userId: await user(), key: 'cancel', fingerprint: '' };
    const none = reservationId(ports.newId());
    await expectRefusal(cancelReservation(ports, { ...reservation, request: stranger }), 'reservation-not-found');
    await expectRefusal(
      cancelReservation(ports, { reservationId: none, request: { ...stranger, userId: reservation.userId } }),
      'reservation-not-found',
    );
    clock.advance(HOUR_MS);
    await expectRefusal(cancel(), 'hold-expired');
  });
});
