import { describe, expect, it } from 'vitest';
import type { Reservation } from '#domain/booking/reservation.ts';
import { chargeId, concertDate, reservationId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { HOUR_MS, type Staged } from '#tests/contracts/stage-concert.ts';
import { failingPorts } from '#tests/fakes/failing-ports.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { pay } from '#use-cases/booking/pay.ts';
import { reserveSeats } from '#use-cases/booking/reserve-seats.ts';

/** A fan who is in and holds seat 1, at 10,000; and the next one in line, for whom there is no room. */
async function held({ balance = 15_000, ...staged }: Staged & { readonly balance?: number } = {}) {
  const world = memoryWorld();
  const { ports } = world;
  const concert = world.stage({ ...staged, policy: { activeMax: 1, ...staged.policy } });
  const date = concert.dates[0]?.date ?? concertDate('');
  const entry = await world.fan(concert, balance);
  const next = await world.fan(concert, balance);
  const request = (of: QueueEntry, key: string) => ({ userId: of.userId, key, fingerprint: key });
  const { answer: reservation } = await reserveSeats(ports, {
    entry,
    date,
    seatNumbers: [1],
    request: request(entry, 'reserve'),
  });
  const payAs = (entry: QueueEntry, { reservationId }: Pick<Reservation, 'reservationId'>, key = 'pay') =>
    pay(ports, { entry, reservationId, request: request(entry, key) });
  const balanceOf = async ({ userId }: QueueEntry) => (await ports.wallets.find(userId))?.balance;
  const seat = async () => (await ports.concerts.listSeats(concert.concertId, date))?.[0]?.status;
  const placeOf = async (of: QueueEntry) => (await ports.queue.find(of)).status;
  return { ...world, concert, entry, next, reservation, payAs, balanceOf, seat, placeOf };
}

describe('paying', () => {
  it('takes the price, gives the seat to the user and writes a payment', async () => {
    const { ports, entry, reservation, payAs, balanceOf, seat, clock } = await held();
    const { answer, replayed } = await payAs(entry, reservation);
    expect(replayed).toBe(false);
    expect(answer).toMatchObject({
      reservationId: reservation.reservationId,
      userId: entry.userId,
      amount: 10_000,
      balance: 5_000,
      paidAt: new Date(clock.now()),
    });
    expect(await balanceOf(entry)).toBe(5_000);
    expect(await seat()).toBe('SOLD');
    expect(await ports.boxOffice.findPayment(entry.userId, answer.paymentId)).toEqual(answer);
    expect(await ports.boxOffice.findReservation(entry.userId, reservation.reservationId)).toMatchObject({
      status: 'CONFIRMED',
    });
  });

  it('ends the session, lets the next one in at once, and takes the mark away', async () => {
    const { ports, entry, next, reservation, payAs, placeOf } = await held();
    expect([await placeOf(entry), await placeOf(next)]).toEqual(['ACTIVE', 'WAITING']);
    await payAs(entry, reservation);
    expect([await placeOf(entry), await placeOf(next)]).toEqual(['EXPIRED', 'ACTIVE']);
    const look = { ...reservation, userId: next.userId };
    await expect(ports.holdKeys.acquire(look, { userId: next.userId, key: 'a look', fingerprint: '' })).resolves.toBe(
      'acquired',
    );
  });

  it('lets nobody in where the last seat has been paid', async () => {
    const { entry, next, reservation, payAs, placeOf } = await held({
      dates: [{ startsInMs: HOUR_MS, prices: [10_000] }],
    });
    await payAs(entry, reservation);
    expect([await placeOf(entry), await placeOf(next)]).toEqual(['EXPIRED', 'WAITING']);
  });

  it('succeeds though nothing but the box office can be reached', async () => {
    const { ports, entry, reservation, balanceOf, seat } = await held();
    const faults = [2, 3, 4, 5].map((nth) => ({ nth, takesEffect: false }));
    const failing = failingPorts(ports, faults);
    const request = { userId: entry.userId, key: 'pay', fingerprint: 'pay' };
    const { reservationId } = reservation;
    const paid = await pay(failing.ports, { entry: entry, reservationId, request });
    expect(paid).toMatchObject({ answer: { balance: 5_000 }, replayed: false });
    expect(failing.calls).toEqual(['boxOffice.pay', 'queue.leave', 'holdKeys.release']);
    expect([await balanceOf(entry), await seat()]).toEqual([5_000, 'SOLD']);
  });

  it('the same request again gets the first answer, is charged once, and does not end a later session', async () => {
    const { ports, concert, entry, next, reservation, payAs, balanceOf, placeOf } = await held();
    const { answer } = await payAs(entry, reservation);
    await ports.queue.leave(next);
    const { entry: later } = await ports.queue.join(concert.concertId, entry.userId, concert.policy);
    await ports.queue.admit(concert.concertId, concert.policy);
    expect(await payAs(later, reservation)).toEqual({ answer, replayed: true });
    expect(await balanceOf(entry)).toBe(5_000);
    expect(await placeOf(later)).toBe('ACTIVE');
  });

  it('twenty times at once charges once: by one key one payment and equal answers, by twenty keys one success', async () => {
    const same = await held();
    const answers = await Promise.all(Array.from({ length: 20 }, () => same.payAs(same.entry, same.reservation)));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map(({ answer }) => answer.paymentId)).size).toBe(1);
    expect(await same.balanceOf(same.entry)).toBe(5_000);

    const { entry, reservation, payAs, balanceOf } = await held({ balance: 900_000 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => payAs(entry, reservation, `pay ${index}`)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await balanceOf(entry)).toBe(890_000);
  });

  it('is refused when the balance is too low; nothing changes, and after a charge the same request succeeds', async () => {
    const { ports, entry, next, reservation, payAs, balanceOf, seat, placeOf } = await held({ balance: 9_999 });
    await expectRefusal(payAs(entry, reservation), 'insufficient-balance', { required: 10_000, balance: 9_999 });
    expect([await balanceOf(entry), await seat(), await placeOf(entry)]).toEqual([9_999, 'HELD', 'ACTIVE']);
    expect(await placeOf(next)).toBe('WAITING');
    await ports.wallets.charge({
      chargeId: chargeId(ports.newId()),
      amount: 1,
      balanceMax: 99_999,
      request: { userId: entry.userId, key: 'top up', fingerprint: '' },
    });
    expect((await payAs(entry, reservation)).answer.balance).toBe(0);
  });

  it('is refused after the deadline, and nothing is charged', async () => {
    const { entry, reservation, payAs, balanceOf, seat, clock } = await held();
    clock.advance(300_000);
    await expectRefusal(payAs(entry, reservation), 'hold-expired');
    expect([await balanceOf(entry), await seat()]).toEqual([15_000, 'AVAILABLE']);
  });

  it('is refused for the reservation of another user, for none, and a second time by another request', async () => {
    const { ports, entry, next, reservation, payAs, balanceOf } = await held();
    await expectRefusal(payAs(next, reservation), 'reservation-not-found');
    const none = { reservationId: reservationId(ports.newId()) };
    await expectRefusal(payAs(entry, none), 'reservation-not-found');
    await payAs(entry, reservation);
    await expectRefusal(payAs(entry, reservation, 'pay again'), 'already-paid');
    expect([await balanceOf(entry), await balanceOf(next)]).toEqual([5_000, 15_000]);
  });

  it('is refused for what was given back', async () => {
    const { ports, entry, reservation, payAs, balanceOf } = await held();
    await ports.boxOffice.release(entry.userId, reservation.reservationId);
    await expectRefusal(payAs(entry, reservation), 'reservation-not-held');
    expect(await balanceOf(entry)).toBe(15_000);
  });
});
