import { describe, expect, it } from 'vitest';
import type { Policy } from '#domain/catalog/policy.ts';
import { concertDate, reservationId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { failingPorts } from '#tests/fakes/failing-ports.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { extendHold } from '#use-cases/booking/extend-hold.ts';
import { relayOutbox } from '#use-cases/booking/relay-outbox.ts';
import { releaseReservation } from '#use-cases/booking/release-reservation.ts';
import { reserveSeats } from '#use-cases/booking/reserve-seats.ts';

const HOLD_MS = 300_000;

/** A fan whose session would have ended with the hold that they made. */
async function held(policy: Partial<Policy> = {}) {
  const world = memoryWorld();
  const { ports } = world;
  const concert = world.stage({ policy: { sessionSeconds: 60, holdSeconds: 300, holdSecondsMax: 500, ...policy } });
  const date = concert.dates[0]?.date ?? concertDate('');
  const entry = await world.fan(concert);
  const stranger = await world.user();
  const request = (key: string) => ({ userId: entry.userId, key, fingerprint: key });
  const { answer: reservation } = await reserveSeats(ports, {
    ...{ entry, date, seatNumbers: [1] },
    request: request('reserve'),
  });
  const extend = (key = 'extend', on = ports) =>
    extendHold(on, { entry: entry, reservationId: reservation.reservationId, request: request(key) });

  async function isMarked(): Promise<boolean> {
    const look = { ...reservation, userId: stranger, reservationId: reservationId(ports.newId()) };
    const marked = await ports.holdKeys.acquire(look, { userId: stranger, key: 'a look', fingerprint: '' }).then(
      () => false,
      () => true,
    );
    await ports.holdKeys.release(look);
    return marked;
  }
  return { ...world, entry, reservation, extend, isMarked };
}

describe('extending a hold', () => {
  it('lets marks and session last as long as the hold', async () => {
    const { ports, clock, entry, extend, isMarked } = await held();
    clock.advance(100_000);
    const { answer, replayed } = await extend();
    expect([answer.heldUntil.getTime(), replayed]).toEqual([clock.now() + HOLD_MS, false]);
    clock.advance(HOLD_MS);
    expect(await isMarked()).toBe(true);
    expect(await ports.queue.find(entry)).toMatchObject({ status: 'ACTIVE' });
    clock.advance(10_000);
    expect(await isMarked()).toBe(false);
    expect(await ports.queue.find(entry)).toMatchObject({ status: 'EXPIRED' });
  });

  it('goes by the policy of the concert: its time, and its ceiling', async () => {
    const { clock, reservation, extend } = await held({ holdSeconds: 200, holdSecondsMax: 350 });
    const heldMs = ({ heldUntil }: typeof reservation) => heldUntil.getTime() - reservation.createdAt.getTime();
    clock.advance(100_000);
    expect(heldMs((await extend('once')).answer)).toBe(300_000);
    clock.advance(100_000);
    expect(heldMs((await extend('twice')).answer)).toBe(350_000);
    await expectRefusal(extend('again'), 'hold-at-ceiling');
  });

  it('sent again gets the first answer, and moves nothing', async () => {
    const { clock, extend, isMarked } = await held();
    clock.advance(100_000);
    const { answer } = await extend();
    clock.advance(50_000);
    expect(await extend()).toEqual({ answer, replayed: true });
    clock.advance(HOLD_MS - 50_000 + 10_000);
    expect(await isMarked()).toBe(false);
  });

  it('succeeds though marks and line cannot be told', async () => {
    const { ports, clock, extend } = await held();
    clock.advance(100_000);
    const failing = failingPorts(
      ports,
      [3, 4].map((nth) => ({ nth, takesEffect: false })),
    );
    const { answer } = await extend('extend', failing.ports);
    expect(answer.heldUntil.getTime()).toBe(clock.now() + HOLD_MS);
    expect(failing.calls).toEqual(['concerts.find', 'boxOffice.extend', 'holdKeys.prolong', 'queue.extend']);
  });

  it('marks nothing if it wakes up once the seats were given back, and the outbox was settled', async () => {
    const { ports, clock, reservation, extend, isMarked } = await held();
    const boxOffice: Ports['boxOffice'] = {
      ...ports.boxOffice,
      async extend(order) {
        const extended = await ports.boxOffice.extend(order);
        await releaseReservation(ports, reservation);
        clock.advance(1_000);
        expect(await relayOutbox(ports)).toBe(3);
        return extended;
      },
    };
    await extend('extend', { ...ports, boxOffice });
    expect(await isMarked()).toBe(false);
  });

  it('is refused once the hold has run out', async () => {
    const { clock, extend, isMarked } = await held();
    clock.advance(HOLD_MS + 10_000);
    await expectRefusal(extend(), 'hold-expired');
    expect(await isMarked()).toBe(false);
  });
});
