import { describe, expect, it } from 'vitest';
import type { Reservation } from '#domain/booking/reservation.ts';
import { chargeId, concertDate, reservationId } from '#domain/ids.ts';
import type { QueueClaim } from '#domain/queue/queue.ts';
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
  const claim = await world.fan(concert, balance);
  const next = await world.fan(concert, balance);
  const request = (of: QueueClaim, key: string) => ({ userId: of.userId, key, fingerprint: key });
  const { answer: reservation } = await reserveSeats(ports, {
    claim,
    date,
    seatNumbers: [1],
    request: request(claim, 'reserve'),
  });
  const payAs = (place: QueueClaim, { reservationId }: Pick<Reservation, 'reservationId'>, key = 'pay') =>
    pay(ports, { place, reservationId, request: request(place, key) });
  const balanceOf = async ({ userId }: QueueClaim) => (await ports.wallets.find(userId))?.balance;
  const seat = async () => (await ports.concerts.listSeats(concert.concertId, date))?.[0]?.status;
  const placeOf = async (of: QueueClaim) => (await ports.waitingRoom.find(of)).status;
  return { ...world, concert, claim, next, reservation, payAs, balanceOf, seat, placeOf };
}

describe('paying', () => {
  it('takes the price, gives the seat to the user and writes a payment', async () => {
    const { ports, claim, reservation, payAs, balanceOf, seat, clock } = await held();
    const { answer, replayed } = await payAs(claim, reservation);
    expect(replayed).toBe(false);
    expect(answer).toMatchObject({
      reservationId: reservation.reservationId,
      userId: claim.userId,
      amount: 10_000,
      balance: 5_000,
      paidAt: new Date(clock.now()),
    });
    expect(await balanceOf(claim)).toBe(5_000);
    expect(await seat()).toBe('SOLD');
    expect(await ports.boxOffice.findPayment(claim.userId, answer.paymentId)).toEqual(answer);
    expect(await ports.boxOffice.findReservation(claim.userId, reservation.reservationId)).toMatchObject({
      status: 'CONFIRMED',
    });
  });

  it('ends the session, lets the next one in at once, and takes the mark away', async () => {
    const { ports, claim, next, reservation, payAs, placeOf } = await held();
    expect([await placeOf(claim), await placeOf(next)]).toEqual(['ACTIVE', 'WAITING']);
    await payAs(claim, reservation);
    expect([await placeOf(claim), await placeOf(next)]).toEqual(['EXPIRED', 'ACTIVE']);
    const look = { ...reservation, userId: next.userId };
    await expect(ports.holdKeys.claim(look, { userId: next.userId, key: 'a look', fingerprint: '' })).resolves.toBe(
      'claimed',
    );
  });

  it('lets nobody in where the last seat has been paid', async () => {
    const { claim, next, reservation, payAs, placeOf } = await held({
      dates: [{ startsInMs: HOUR_MS, prices: [10_000] }],
    });
    await payAs(claim, reservation);
    expect([await placeOf(claim), await placeOf(next)]).toEqual(['EXPIRED', 'WAITING']);
  });

  it('succeeds though nothing but the box office can be reached', async () => {
    const { ports, claim, reservation, balanceOf, seat } = await held();
    const faults = [2, 3, 4, 5].map((nth) => ({ nth, takesEffect: false }));
    const failing = failingPorts(ports, faults);
    const request = { userId: claim.userId, key: 'pay', fingerprint: 'pay' };
    const { reservationId } = reservation;
    const paid = await pay(failing.ports, { place: claim, reservationId, request });
    expect(paid).toMatchObject({ answer: { balance: 5_000 }, replayed: false });
    expect(failing.calls).toEqual(['boxOffice.pay', 'waitingRoom.leave', 'holdKeys.release']);
    expect([await balanceOf(claim), await seat()]).toEqual([5_000, 'SOLD']);
  });

  it('the same request again gets the first answer, is charged once, and does not end a later session', async () => {
    const { ports, concert, claim, next, reservation, payAs, balanceOf, placeOf } = await held();
    const { answer } = await payAs(claim, reservation);
    await ports.waitingRoom.leave(next);
    const { claim: later } = await ports.waitingRoom.join(concert.concertId, claim.userId, concert.policy);
    await ports.waitingRoom.admit(concert.concertId, concert.policy);
    expect(await payAs(later, reservation)).toEqual({ answer, replayed: true });
    expect(await balanceOf(claim)).toBe(5_000);
    expect(await placeOf(later)).toBe('ACTIVE');
  });

  it('twenty times at once charges once: by one key one payment and equal answers, by twenty keys one success', async () => {
    const same = await held();
    const answers = await Promise.all(Array.from({ length: 20 }, () => same.payAs(same.claim, same.reservation)));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map(({ answer }) => answer.paymentId)).size).toBe(1);
    expect(await same.balanceOf(same.claim)).toBe(5_000);

    const { claim, reservation, payAs, balanceOf } = await held({ balance: 900_000 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => payAs(claim, reservation, `pay ${index}`)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await balanceOf(claim)).toBe(890_000);
  });

  it('is refused when the balance is too low; nothing changes, and after a charge the same request succeeds', async () => {
    const { ports, claim, next, reservation, payAs, balanceOf, seat, placeOf } = await held({ balance: 9_999 });
    await expectRefusal(payAs(claim, reservation), 'insufficient-balance', { required: 10_000, balance: 9_999 });
    expect([await balanceOf(claim), await seat(), await placeOf(claim)]).toEqual([9_999, 'HELD', 'ACTIVE']);
    expect(await placeOf(next)).toBe('WAITING');
    await ports.wallets.charge({
      chargeId: chargeId(ports.newId()),
      amount: 1,
      balanceMax: 99_999,
      request: { userId: claim.userId, key: 'top up', fingerprint: '' },
    });
    expect((await payAs(claim, reservation)).answer.balance).toBe(0);
  });

  it('is refused after the deadline, and nothing is charged', async () => {
    const { claim, reservation, payAs, balanceOf, seat, clock } = await held();
    clock.advance(300_000);
    await expectRefusal(payAs(claim, reservation), 'hold-expired');
    expect([await balanceOf(claim), await seat()]).toEqual([15_000, 'AVAILABLE']);
  });

  it('is refused for the reservation of another user, for none, and a second time by another request', async () => {
    const { ports, claim, next, reservation, payAs, balanceOf } = await held();
    await expectRefusal(payAs(next, reservation), 'reservation-not-found');
    const none = { reservationId: reservationId(ports.newId()) };
    await expectRefusal(payAs(claim, none), 'reservation-not-found');
    await payAs(claim, reservation);
    await expectRefusal(payAs(claim, reservation, 'pay again'), 'already-paid');
    expect([await balanceOf(claim), await balanceOf(next)]).toEqual([5_000, 15_000]);
  });

  it('is refused for what was given back', async () => {
    const { ports, claim, reservation, payAs, balanceOf } = await held();
    await ports.boxOffice.release(claim.userId, reservation.reservationId);
    await expectRefusal(payAs(claim, reservation), 'reservation-not-held');
    expect(await balanceOf(claim)).toBe(15_000);
  });
});
