import { describe, expect, it } from 'vitest';
import type { Reservation } from '#domain/booking/reservation.ts';
import { concertDate, concertId, reservationId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { HoldOrder } from '#ports/booking/box-office.ts';
import type { Lock } from '#ports/booking/lock.ts';
import type { Ports } from '#ports/index.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import type { Staged } from '#tests/contracts/stage-concert.ts';
import { failingPorts } from '#tests/fakes/failing-ports.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { noLock } from '#tests/fakes/no-lock.ts';
import { relayOutbox } from '#use-cases/booking/relay-outbox.ts';
import { releaseReservation } from '#use-cases/booking/release-reservation.ts';
import { reserveSeats } from '#use-cases/booking/reserve-seats.ts';

const SESSION_MARGIN_MS = 5_000;
const ACQUIRED_MS = 10_000;

/** A concert with room for everybody, seats 1 to 5, and a way to ask for them. */
function hall({ lock, ...staged }: Staged & { readonly lock?: Lock } = {}) {
  const world = memoryWorld(lock === undefined ? {} : { lock });
  const { ports } = world;
  const concert = world.stage({ ...staged, policy: { activeMax: 1_000, ...staged.policy } });
  const { concertId } = concert;
  const date = concert.dates[0]?.date ?? concertDate('');
  let asked = 0;

  const fan = (balance?: number) => world.fan(concert, balance);
  const request = (entry: QueueEntry, key = `request ${++asked}`) => ({
    userId: entry.userId,
    key,
    fingerprint: key,
  });
  const reserve = (entry: QueueEntry, seatNumbers: readonly number[], asked = request(entry)) =>
    reserveSeats(ports, { entry, date, seatNumbers, request: asked });
  const statuses = async () => (await ports.concerts.listSeats(concertId, date))?.map(({ status }) => status).join(' ');
  /** Whether the marks turn the crowd away from a seat, whatever the box office says. */
  async function isMarked(seatNumber: number): Promise<boolean> {
    const { userId } = await fan();
    const stranger = {
      userId,
      concertId,
      date,
      seatNumbers: [seatNumber],
      reservationId: reservationId(ports.newId()),
    };
    const turnedAway = await ports.holdKeys
      .acquire(stranger, { userId, key: 'a look', fingerprint: '' })
      .then(() => false)
      .catch(() => true);
    await ports.holdKeys.release(stranger);
    return turnedAway;
  }
  return { ...world, concert, date, fan, request, reserve, statuses, isMarked };
}

/** So much happens elsewhere between the answer of the box office and what is told to Redis. */
function pausing(ports: Ports, meanwhile: (order: HoldOrder) => Promise<void>): Ports {
  const boxOffice: Ports['boxOffice'] = {
    ...ports.boxOffice,
    async hold(order) {
      const outcome = await ports.boxOffice.hold(order);
      await meanwhile(order);
      return outcome;
    },
  };
  return { ...ports, boxOffice };
}

describe('reserving', () => {
  it('holds the seats until the deadline, all of them, in ascending order', async () => {
    const { fan, reserve, statuses, clock } = hall({ policy: { holdSeconds: 120 } });
    const entry = await fan();
    const { answer, replayed } = await reserve(entry, [3, 1]);
    expect(replayed).toBe(false);
    expect(answer).toMatchObject({
      userId: entry.userId,
      seatNumbers: [1, 3],
      status: 'HELD',
      amount: 40_000,
      heldForSeconds: 120,
      heldUntil: new Date(clock.now() + 120_000),
    });
    expect(await statuses()).toBe('HELD AVAILABLE HELD AVAILABLE AVAILABLE');
  });

  it('keeps everybody else from the seats while they are held', async () => {
    const { fan, reserve } = hall();
    await reserve(await fan(), [1, 2]);
    await expectRefusal(reserve(await fan(), [2, 3]), 'seat-taken', { seatNumbers: [2] });
  });

  it('holds none of the seats when one is taken', async () => {
    const { fan, reserve, statuses, isMarked } = hall();
    await reserve(await fan(), [2]);
    await expectRefusal(reserve(await fan(), [1, 2, 3]), 'seat-taken');
    expect(await statuses()).toBe('AVAILABLE HELD AVAILABLE AVAILABLE AVAILABLE');
    expect(await isMarked(1)).toBe(false);
  });

  it('is possible again once the hold has run out, without anybody tidying up', async () => {
    const { fan, reserve, clock, concert } = hall();
    await reserve(await fan(), [1]);
    clock.advance(concert.policy.holdSeconds * 1_000);
    await expect(reserve(await fan(), [1])).rejects.toMatchObject({ code: 'seat-taken' });
    clock.advance(1_000);
    expect((await reserve(await fan(), [1])).answer.status).toBe('HELD');
  });

  it('is possible again once the hold was given back', async () => {
    const { ports, fan, reserve } = hall();
    const entry = await fan();
    const { answer } = await reserve(entry, [1]);
    await releaseReservation(ports, { userId: entry.userId, reservationId: answer.reservationId });
    expect((await reserve(await fan(), [1])).answer.status).toBe('HELD');
  });

  it.each([
    ['with the lock', {}],
    ['with a lock that locks nothing', { lock: noLock }],
  ])('gives a seat to exactly one of a hundred who ask at once, %s', async (_, options) => {
    const { fan, reserve, statuses } = hall(options);
    const entries = await Promise.all(Array.from({ length: 100 }, () => fan()));
    const outcomes = await Promise.allSettled(entries.map((entry) => reserve(entry, [4])));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'seat-taken' });
    }
    expect(await statuses()).toBe('AVAILABLE AVAILABLE AVAILABLE HELD AVAILABLE');
  });

  it('lets the session last to the end of the hold, and a little longer', async () => {
    const { ports, fan, reserve } = hall({ policy: { sessionSeconds: 60, holdSeconds: 300 } });
    const entry = await fan();
    const { answer } = await reserve(entry, [1]);
    expect(await ports.queue.find(entry)).toEqual({
      status: 'ACTIVE',
      expiresAt: new Date(answer.heldUntil.getTime() + SESSION_MARGIN_MS),
    });
  });

  it('never shortens the session', async () => {
    const { ports, fan, reserve } = hall({ policy: { sessionSeconds: 600, holdSeconds: 30 } });
    const entry = await fan();
    const before = await ports.queue.find(entry);
    await reserve(entry, [1]);
    expect(await ports.queue.find(entry)).toEqual(before);
  });

  it('is refused where there is no such concert, date or seat, and beyond the limit, and deletes its hold keys', async () => {
    const { ports, fan, reserve, request, date, isMarked } = hall({ policy: { seatsPerUserMax: 2 } });
    const entry = await fan();
    const asked = { entry, date, seatNumbers: [1], request: request(entry) };
    const elsewhere = { ...entry, concertId: concertId(ports.newId()) };
    await expectRefusal(reserveSeats(ports, { ...asked, entry: elsewhere }), 'concert-not-found');
    await expectRefusal(reserveSeats(ports, { ...asked, date: concertDate('2001-01-01') }), 'date-not-found');
    await expectRefusal(reserve(entry, [1, 6]), 'seat-not-found', { seatNumbers: [6] });
    await expectRefusal(reserve(entry, [1, 2, 3]), 'seat-limit-reached', { limit: 2, held: 0 });
    expect(await isMarked(1)).toBe(false);
  });
});

describe('what is told to Redis once the box office has decided', () => {
  it('may fail: the hold stands', async () => {
    const { ports, fan, date, request, statuses } = hall();
    const entry = await fan();
    const undisturbed = failingPorts(ports, []);
    const asked = { entry, date, seatNumbers: [1], request: request(entry) };
    await reserveSeats(undisturbed.ports, asked);
    const told = undisturbed.calls.slice(undisturbed.calls.indexOf('boxOffice.hold') + 1);
    expect(told.toSorted()).toEqual(['holdKeys.prolong', 'holdKeys.remember', 'queue.extend']);

    const faults = told.map((_, index) => ({ nth: undisturbed.calls.length - index, takesEffect: false }));
    const failing = failingPorts(ports, faults);
    const again = { ...asked, seatNumbers: [2], request: request(entry) };
    expect(await reserveSeats(failing.ports, again)).toMatchObject({ answer: { status: 'HELD' }, replayed: false });
    expect(failing.calls).toEqual(undisturbed.calls);
    expect(await statuses()).toBe('HELD HELD AVAILABLE AVAILABLE AVAILABLE');
  });
});

describe('the marks', () => {
  it('stay on no seat that the box office did not give', async () => {
    const { ports, fan, reserve, isMarked } = hall();
    const { answer } = await reserve(await fan(), [1]);
    await ports.holdKeys.release(answer);
    await expectRefusal(reserve(await fan(), [1, 2]), 'seat-taken', { seatNumbers: [1] });
    expect([await isMarked(1), await isMarked(2)]).toEqual([true, false]);
  });

  it('stay on no seat for a request that is only answered again', async () => {
    const { ports, fan, request, date, reserve, isMarked } = hall();
    const entry = await fan();
    const asked = { entry, date, seatNumbers: [1], request: request(entry) };
    const remembering = { ...ports, holdKeys: { ...ports.holdKeys, remember: async () => {} } };
    const { answer } = await reserveSeats(remembering, asked);
    await releaseReservation(ports, answer);
    expect(await reserve(entry, [1], asked.request)).toEqual({ answer, replayed: true });
    expect(await isMarked(1)).toBe(false);
  });

  it('last as long as the hold, and a little longer', async () => {
    const { fan, reserve, isMarked, clock } = hall({ policy: { holdSeconds: 300 } });
    await reserve(await fan(), [1]);
    clock.advance(300_000);
    expect(await isMarked(1)).toBe(true);
    clock.advance(1_000);
    expect(await isMarked(1)).toBe(false);
  });

  it('are put back when they were lost, by the next client who asks, for as long as the hold lasts', async () => {
    const { ports, fan, reserve, isMarked, clock } = hall();
    const { answer } = await reserve(await fan(), [1]);
    await ports.holdKeys.release(answer);
    expect(await isMarked(1)).toBe(false);
    await expectRefusal(reserve(await fan(), [1]), 'seat-taken', { seatNumbers: [1] });
    clock.advance(ACQUIRED_MS);
    expect(await isMarked(1)).toBe(true);
    clock.advance(300_000);
    expect(await isMarked(1)).toBe(false);
  });

  it('are left alone by a command that wakes up once its hold was given back, and the outbox settled', async () => {
    const { ports, fan, request, date, clock, isMarked } = hall();
    const entry = await fan();
    const slow = pausing(ports, async (order) => {
      await releaseReservation(ports, order);
      clock.advance(1_000);
      expect(await relayOutbox(ports)).toBe(2);
    });
    await reserveSeats(slow, { entry, date, seatNumbers: [1], request: request(entry) });
    expect(await isMarked(1)).toBe(false);
  });

  it('of the next holder stand, and go with that hold, though the last one wakes up meanwhile, its lock over', async () => {
    const { ports, fan, reserve, request, date, isMarked } = hall({ lock: noLock });
    const [entry, next] = [await fan(), await fan()];
    let taken: Reservation | undefined;
    const slow = pausing(ports, async (order) => {
      await releaseReservation(ports, order);
      ({ answer: taken } = await reserve(next, [1]));
    });
    await reserveSeats(slow, { entry, date, seatNumbers: [1], request: request(entry) });
    expect(await isMarked(1)).toBe(true);
    if (taken !== undefined) await releaseReservation(ports, taken);
    expect(await isMarked(1)).toBe(false);
  });

  it('are not put back for a hold that has ended since the refusal', async () => {
    const { ports, fan, reserve, request, date, clock, isMarked } = hall();
    const { answer } = await reserve(await fan(), [1]);
    await ports.holdKeys.release(answer);
    const entry = await fan();
    const slow = pausing(ports, async () => {
      await releaseReservation(ports, answer);
      clock.advance(1_000);
      await relayOutbox(ports);
    });
    await expectRefusal(reserveSeats(slow, { entry, date, seatNumbers: [1], request: request(entry) }), 'seat-taken');
    expect(await isMarked(1)).toBe(false);
  });

  it('are there within a second or so where the acquired keys had expired before the box office answered', async () => {
    const { ports, fan, request, date, clock, isMarked } = hall();
    const entry = await fan();
    const slow = pausing(ports, async () => clock.advance(ACQUIRED_MS));
    await reserveSeats(slow, { entry, date, seatNumbers: [1], request: request(entry) });
    expect(await isMarked(1)).toBe(false);
    await relayOutbox(ports);
    expect(await isMarked(1)).toBe(true);
  });

  it('do not stand in the way of the user who has them', async () => {
    const { fan, reserve } = hall();
    const entry = await fan();
    await reserve(entry, [1]);
    await expectRefusal(reserve(entry, [1, 2]), 'seat-taken', { seatNumbers: [1] });
    expect((await reserve(entry, [2])).answer.status).toBe('HELD');
  });
});

describe('the same request again', () => {
  it('gets the first answer, and holds nothing more', async () => {
    const { ports, fan, reserve, request, isMarked } = hall();
    const entry = await fan();
    const asked = request(entry);
    const { answer } = await reserve(entry, [1], asked);
    expect(await reserve(entry, [1], asked)).toEqual({ answer, replayed: true });
    expect((await ports.boxOffice.listReservations(entry.userId, { limit: 9 })).items).toHaveLength(1);
    expect(await isMarked(1)).toBe(true);
  });

  it('gets the first answer even when somebody else has the seats by now', async () => {
    const { fan, reserve, request, clock } = hall();
    const entry = await fan();
    const asked = request(entry);
    const { answer } = await reserve(entry, [1], asked);
    clock.advance(3_600_000);
    await reserve(await fan(), [1]);
    expect(await reserve(entry, [1], asked)).toEqual({ answer, replayed: true });
  });

  it.each([
    ['with the lock', {}],
    ['with a lock that locks nothing', { lock: noLock }],
  ])('twenty times at once has one effect and gives equal answers, %s', async (_, options) => {
    const { ports, fan, reserve, request, isMarked } = hall(options);
    const entry = await fan();
    const asked = request(entry);
    const answers = await Promise.all(Array.from({ length: 20 }, () => reserve(entry, [1, 2], asked)));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map(({ answer }) => JSON.stringify(answer))).size).toBe(1);
    expect((await ports.boxOffice.listReservations(entry.userId, { limit: 9 })).items).toHaveLength(1);
    expect(await isMarked(1)).toBe(true);
  });

  it('with another body is refused', async () => {
    const { fan, reserve, request } = hall();
    const entry = await fan();
    await reserve(entry, [1], { ...request(entry, 'key'), fingerprint: 'seat 1' });
    const other = reserve(entry, [2], { ...request(entry, 'key'), fingerprint: 'seat 2' });
    await expectRefusal(other, 'idempotency-key-reused');
  });
});

describe('under a lock that somebody else has', () => {
  const contended: Lock = { during: async () => ({ contended: true }) };

  it('a stranger is told that the seats are taken, and leaves no mark', async () => {
    const { fan, reserve, isMarked, statuses } = hall({ lock: contended });
    await expectRefusal(reserve(await fan(), [1, 2]), 'seat-taken', { seatNumbers: [1, 2] });
    expect(await isMarked(1)).toBe(false);
    expect(await statuses()).toBe('AVAILABLE AVAILABLE AVAILABLE AVAILABLE AVAILABLE');
  });

  it('a fan whose last command died with the lock has the seat', async () => {
    const { ports, date, fan, reserve, request, statuses } = hall({ lock: contended });
    const entry = await fan();
    const asked = request(entry);
    const { userId, concertId } = entry;
    const died = { userId, concertId, date, seatNumbers: [1], reservationId: reservationId(ports.newId()) };
    await ports.holdKeys.acquire(died, asked);
    expect(await reserve(entry, [1], asked)).toMatchObject({ answer: { status: 'HELD' }, replayed: false });
    expect(await statuses()).toBe('HELD AVAILABLE AVAILABLE AVAILABLE AVAILABLE');
  });

  it('the same request gets its first answer', async () => {
    let free = true;
    const lock: Lock = { during: (seats, work) => (free ? noLock : contended).during(seats, work) };
    const { fan, reserve, request } = hall({ lock });
    const entry = await fan();
    const asked = request(entry);
    const { answer } = await reserve(entry, [1], asked);
    free = false;
    expect(await reserve(entry, [1], asked)).toEqual({ answer, replayed: true });
  });
});

describe('releasing', () => {
  it('succeeds though the marks cannot be reached', async () => {
    const { ports, fan, reserve, statuses } = hall();
    const { answer } = await reserve(await fan(), [1]);
    const failing = failingPorts(ports, [{ nth: 2, takesEffect: false }]);
    await releaseReservation(failing.ports, answer);
    expect(failing.calls).toEqual(['boxOffice.release', 'holdKeys.release']);
    expect(await statuses()).toBe('AVAILABLE AVAILABLE AVAILABLE AVAILABLE AVAILABLE');
  });

  it('gives the seats back and takes the marks away', async () => {
    const { ports, fan, reserve, statuses, isMarked } = hall();
    const entry = await fan();
    const { answer } = await reserve(entry, [1, 2]);
    const released = { userId: entry.userId, reservationId: answer.reservationId };
    await releaseReservation(ports, released);
    await releaseReservation(ports, released);
    expect(await statuses()).toBe('AVAILABLE AVAILABLE AVAILABLE AVAILABLE AVAILABLE');
    expect([await isMarked(1), await isMarked(2)]).toEqual([false, false]);
    expect(await ports.boxOffice.findReservation(entry.userId, answer.reservationId)).toMatchObject({
      status: 'CANCELLED',
    });
  });

  it('is refused to others, and after the deadline', async () => {
    const { ports, fan, reserve, statuses, clock } = hall();
    const entry = await fan();
    const { answer } = await reserve(entry, [1]);
    const { reservationId } = answer;
    const { userId } = await fan();
    await expectRefusal(releaseReservation(ports, { userId, reservationId }), 'reservation-not-found');
    expect(await statuses()).toBe('HELD AVAILABLE AVAILABLE AVAILABLE AVAILABLE');
    clock.advance(300_000);
    await expectRefusal(releaseReservation(ports, { userId: entry.userId, reservationId }), 'hold-expired');
  });
});
