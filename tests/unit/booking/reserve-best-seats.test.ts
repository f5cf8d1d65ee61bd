import { describe, expect, it } from 'vitest';
import type { SeatWish } from '#domain/booking/best-seats.ts';
import { concertDate, reservationId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { WEEK_MS } from '#tests/contracts/stage-concert.ts';
import { failingPorts } from '#tests/fakes/failing-ports.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { outcomeOf } from '#tests/support/outcome.ts';
import { relayOutbox } from '#use-cases/booking/relay-outbox.ts';
import { reserveSeats } from '#use-cases/booking/reserve-seats.ts';

/** A concert with room for everybody, seats in rows of ten, and a way to ask for the best of them. */
function hall({ seats = 50 }: { readonly seats?: number } = {}) {
  const world = memoryWorld();
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
  const freeCount = async () =>
    (await ports.concerts.listSeats(concertId, date))?.filter(({ status }) => status === 'AVAILABLE').length;
  /** Somebody is about to reserve these seats, or has died doing it. */
  async function mark(...seatNumbers: number[]): Promise<void> {
    const entry = await fan();
    const hold = { userId: entry.userId, concertId, date, seatNumbers, reservationId: reservationId(ports.newId()) };
    await ports.holdKeys.acquire(hold, request(entry));
  }
  return { ...world, date, fan, fans, request, reserveBest, freeCount, mark };
}

describe('reserving the best seats', () => {
  it('asks the box office, and then sets hold keys and extends the session', async () => {
    const { ports, fan, reserveBest } = hall();
    const entry = await fan();
    const { ports: watched, calls } = failingPorts(ports, []);
    const { answer, replayed } = await reserveBest(entry, { quantity: 2 }, undefined, watched);
    expect(answer).toMatchObject({ userId: entry.userId, seatNumbers: [5, 6], status: 'HELD', amount: 2_000 });
    expect(replayed).toBe(false);
    expect(calls).toEqual(['concerts.find', 'boxOffice.holdBest', 'holdKeys.putBack', 'queue.extend']);
  });

  it('sells out to a concurrent crowd, and refuses nobody before', async () => {
    const { fans, reserveBest, freeCount } = hall();
    const outcomes = await Promise.all(
      (await fans(100)).map((entry) => outcomeOf(reserveBest(entry, { quantity: 2 }))),
    );
    expect(outcomes.toSorted()).toEqual([...Array(25).fill('done'), ...Array(75).fill('no-adjacent-seats')]);
    expect(await freeCount()).toBe(0);
  });

  it('turns the crowd away from its seats until the outbox takes over', async () => {
    const { ports, fan, request, reserveBest, date, clock } = hall();
    const { answer } = await reserveBest(await fan(), { quantity: 2 });
    const stranger = await fan();
    const named = () => reserveSeats(ports, { entry: stranger, date, seatNumbers: [5], request: request(stranger) });
    const watched = failingPorts(ports, []);
    const refused = reserveSeats(watched.ports, {
      entry: stranger,
      date,
      seatNumbers: [5],
      request: request(stranger),
    });
    await expectRefusal(refused, 'seat-taken', { seatNumbers: [5] });
    expect(watched.calls).not.toContain('boxOffice.hold');
    clock.advance(1_000);
    await relayOutbox(ports);
    clock.advance(60_000);
    await expectRefusal(named(), 'seat-taken', { seatNumbers: [5] });
    expect(answer.seatNumbers).toEqual([5, 6]);
  });

  it('is not refused because of hold keys, which a dead command may have left', async () => {
    const { fan, reserveBest, mark } = hall({ seats: 2 });
    await mark(1, 2);
    expect((await reserveBest(await fan(), { quantity: 2 })).answer.seatNumbers).toEqual([1, 2]);
  });

  it('gives the same seats to the repeated request, also when none are left', async () => {
    const { fan, request, reserveBest, clock } = hall({ seats: 2 });
    const entry = await fan();
    const asked = request(entry);
    const { answer } = await reserveBest(entry, { quantity: 2 }, asked);
    expect(await reserveBest(entry, { quantity: 2 }, asked)).toEqual({ answer, replayed: true });
    clock.advance(3_600_000);
    expect(await reserveBest(entry, { quantity: 2 }, asked)).toEqual({ answer, replayed: true });
  });

  it('is refused at once if no other seats would help', async () => {
    const { ports, fan, reserveBest, freeCount } = hall();
    const watched = failingPorts(ports, []);
    const asked = reserveBest(await fan(), { quantity: 5 }, undefined, watched.ports);
    await expectRefusal(asked, 'seat-limit-reached', { limit: 4, held: 0 });
    expect(watched.calls.filter((call) => call === 'boxOffice.holdBest')).toHaveLength(1);
    expect(await freeCount()).toBe(50);
  });

  it('is refused if there are none, with the number of seats left', async () => {
    const { fan, reserveBest } = hall({ seats: 11 });
    await reserveBest(await fan(), { quantity: 4 });
    await reserveBest(await fan(), { quantity: 4 });
    const asked = reserveBest(await fan(), { quantity: 3 });
    await expectRefusal(asked, 'no-adjacent-seats', { quantity: 3, left: 3 });
  });
});
