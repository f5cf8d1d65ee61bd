import { describe, expect, it } from 'vitest';
import type { SeatWish } from '#domain/booking/best-seats.ts';
import { concertDate, reservationId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { Lock } from '#ports/booking/lock.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { WEEK_MS } from '#tests/contracts/stage-concert.ts';
import { failingPorts } from '#tests/fakes/failing-ports.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { noLock } from '#tests/fakes/no-lock.ts';
import { outcomeOf } from '#tests/support/outcome.ts';
import { reserveSeats } from '#use-cases/booking/reserve-seats.ts';

/** A concert with room for everybody, seats in rows of ten, and a way to ask for the best of them. */
function hall({ lock, seats = 50 }: { readonly lock?: Lock; readonly seats?: number } = {}) {
  const world = memoryWorld(lock === undefined ? {} : { lock });
  const { ports } = world;
  const prices = Array.from({ length: seats }, () => 1_000);
  const concert = world.stage({ policy: { activeMax: 1_000 }, dates: [{ startsInMs: WEEK_MS, prices }] });
  const { concertId } = concert;
  const date = concert.dates[0]?.date ?? concertDate('');
  let asked = 0;

  const fan = () => world.fan(concert);
  const fans = (count: number) => Promise.all(Array.from({ length: count }, fan));
  const request = ({ userId }: QueueEntry, key = `request ${++asked}`) => ({ userId, key, fingerprint: key });
  const reserveBest = (entry: QueueEntry, wish: SeatWish, asked = request(entry), at = ports) =>
    reserveSeats(at, { entry, date, wish, request: asked });
  const freeCount = async () => (await ports.concerts.listFreeSeats(concertId, date)).length;
  /** Somebody is about to reserve these seats, or has died doing it. */
  async function mark(...seatNumbers: number[]): Promise<void> {
    const entry = await fan();
    const hold = { userId: entry.userId, concertId, date, seatNumbers, reservationId: reservationId(ports.newId()) };
    await ports.holdKeys.acquire(hold, request(entry));
  }
  return { ...world, fan, fans, request, reserveBest, freeCount, mark };
}

describe('reserving the best seats', () => {
  it('holds them as seats that were named, marks and session included', async () => {
    const { ports, fan, reserveBest } = hall();
    const entry = await fan();
    const { ports: watched, calls } = failingPorts(ports, []);
    const { answer, replayed } = await reserveBest(entry, { quantity: 2 }, undefined, watched);
    expect(answer).toMatchObject({ userId: entry.userId, seatNumbers: [5, 6], status: 'HELD', amount: 2_000 });
    expect(replayed).toBe(false);
    expect(calls).toEqual([
      'concerts.find',
      'concerts.listFreeSeats',
      'holdKeys.acquire',
      'lock.during',
      'boxOffice.hold',
      'holdKeys.prolong',
      'holdKeys.remember',
      'queue.extend',
    ]);
  });

  it.each([
    ['with the lock', {}],
    ['with a lock that locks nothing', { lock: noLock }],
  ])('sells out to a crowd who ask at once, and refuses nobody before, %s', async (_, options) => {
    const { fans, reserveBest, freeCount } = hall(options);
    const outcomes = await Promise.all(
      (await fans(100)).map((entry) => outcomeOf(reserveBest(entry, { quantity: 2 }))),
    );
    expect(outcomes.toSorted()).toEqual([...Array(25).fill('done'), ...Array(75).fill('no-adjacent-seats')]);
    expect(await freeCount()).toBe(0);
  });

  it('passes over seats that somebody is reserving', async () => {
    const { fan, reserveBest, mark } = hall({ seats: 10 });
    await mark(5, 6);
    const { answer } = await reserveBest(await fan(), { quantity: 2 });
    expect(answer.seatNumbers).not.toContain(5);
    expect(answer.seatNumbers).not.toContain(6);
  });

  it('is not refused because of marks: whoever left them may have died', async () => {
    const { fan, reserveBest, mark } = hall({ seats: 2 });
    await mark(1, 2);
    expect((await reserveBest(await fan(), { quantity: 2 })).answer.seatNumbers).toEqual([1, 2]);
  });

  it('gives the same seats again to the same request, also when there are none left', async () => {
    const { fan, request, reserveBest, clock } = hall({ seats: 2 });
    const entry = await fan();
    const asked = request(entry);
    const { answer } = await reserveBest(entry, { quantity: 2 }, asked);
    expect(await reserveBest(entry, { quantity: 2 }, asked)).toEqual({ answer, replayed: true });
    clock.advance(3_600_000);
    expect(await reserveBest(entry, { quantity: 2 }, asked)).toEqual({ answer, replayed: true });
  });

  it('is refused at once for what no other seats would change', async () => {
    const { ports, fan, reserveBest, freeCount } = hall();
    const watched = failingPorts(ports, []);
    const asked = reserveBest(await fan(), { quantity: 5 }, undefined, watched.ports);
    await expectRefusal(asked, 'seat-limit-reached', { limit: 4, held: 0 });
    expect(watched.calls.filter((call) => call === 'boxOffice.hold')).toHaveLength(1);
    expect(await freeCount()).toBe(50);
  });

  it('is refused where there are none, telling how many are left', async () => {
    const { fan, reserveBest } = hall({ seats: 11 });
    await reserveBest(await fan(), { quantity: 4 });
    await reserveBest(await fan(), { quantity: 4 });
    const asked = reserveBest(await fan(), { quantity: 3 });
    await expectRefusal(asked, 'no-adjacent-seats', { quantity: 3, left: 3 });
  });
});
