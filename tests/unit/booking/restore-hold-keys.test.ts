import { describe, expect, it } from 'vitest';
import type { Hold } from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import { concertDate, reservationId } from '#domain/ids.ts';
import type { SeatHolds } from '#ports/booking/hold-keys.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { granted } from '#tests/contracts/store-harness.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { memorySeatHolds } from '#tests/fakes/memory-seat-holds.ts';
import { restoreMarks } from '#use-cases/booking/restore-hold-keys.ts';

const HOLD_SECONDS = 300;
const MINUTE_MS = 60_000;

/** Holds of which the box office knows, and marks that a test can lose. */
function lost() {
  const world = memoryWorld();
  const seatHolds = memorySeatHolds(world.clock);
  const ports = { ...world.ports, seatHolds };

  async function hold(...seatNumbers: number[]): Promise<Hold> {
    const concert = world.stage({ policy: { activeMax: 9 } });
    const claim = await world.fan(concert);
    const { userId, concertId } = claim;
    const date = concert.dates[0]?.date ?? concertDate('');
    const held = { userId, concertId, date, seatNumbers, reservationId: reservationId(ports.newId()) };
    const order = { place: claim, holdSeconds: HOLD_SECONDS, seatsPerUserMax: 4, strandedSeats: 'off' as const };
    const request = { userId, key: 'hold', fingerprint: '' };
    granted(await ports.boxOffice.hold({ ...held, ...order, request }));
    return held;
  }
  async function isMarked(held: Hold): Promise<boolean> {
    const stranger = { ...held, userId: await world.user(), reservationId: reservationId(ports.newId()) };
    const claim = seatHolds.claim(stranger, { userId: stranger.userId, key: 'look', fingerprint: '' });
    const marked = await claim.then(
      () => false,
      () => true,
    );
    await seatHolds.release(stranger);
    return marked;
  }
  return { ...world, ports, seatHolds, hold, isMarked };
}

describe('restoring marks', () => {
  it('marks what is held for as long as it is held, at once after a loss', async () => {
    const { ports, seatHolds, hold, isMarked, clock } = lost();
    const held = await hold(1, 3);
    for (let losses = 0; losses < 3; losses++) {
      seatHolds.lose();
      await restoreMarks(ports);
      expect(await isMarked(held)).toBe(true);
      expect(await isMarked({ ...held, seatNumbers: [2] })).toBe(false);
    }
    clock.advance(HOLD_SECONDS * 1_000 - 1);
    expect(await isMarked(held)).toBe(true);
    clock.advance(MINUTE_MS);
    expect(await isMarked(held)).toBe(false);
  });

  it('marks within a minute what was lost alone', async () => {
    const { ports, seatHolds, hold, isMarked, clock } = lost();
    const held = await hold(1);
    await restoreMarks(ports);
    await seatHolds.release(held);
    await restoreMarks(ports);
    expect(await isMarked(held)).toBe(false);
    clock.advance(MINUTE_MS);
    await restoreMarks(ports);
    expect(await isMarked(held)).toBe(true);
  });

  it.each(['listHeld', 'findHeld'] as const)('is over for whoever is overtaken after %s', async (method) => {
    const { ports, hold, isMarked, clock } = lost();
    const held = await hold(1);
    ports.seatHolds.lose();
    let reads = 0;
    const boxOffice = {
      ...ports.boxOffice,
      async [method](...asked: [never, never]) {
        const read = await ports.boxOffice[method](...asked);
        reads += 1;
        clock.advance(MINUTE_MS);
        return read;
      },
    };
    await restoreMarks({ ...ports, boxOffice });
    expect(reads).toBe(1);
    expect(await isMarked(held)).toBe(false);
  });

  it.each(['takeTurn', 'putBack', 'confirm', 'endTurn'] as const)(
    'goes on with all other dates when %s fails at one, and says so',
    async (method) => {
      const { ports, seatHolds, hold, isMarked } = lost();
      const [one, other] = [await hold(1), await hold(1)];
      const failing = {
        ...seatHolds,
        async [method](...asked: [never, never]) {
          const [{ concertId }] = asked as [Hold, never];
          if (concertId === one.concertId) throw new Refusal('unavailable', { retryAfterSeconds: 1 });
          return seatHolds[method](...asked);
        },
      } as SeatHolds;
      await expectRefusal(restoreMarks({ ...ports, seatHolds: failing }), 'unavailable');
      expect(await isMarked(other)).toBe(true);
    },
  );
});
