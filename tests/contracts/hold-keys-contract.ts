import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import type { Hold, SeatSet } from '#domain/booking/reservation.ts';
import type { IdempotencyKey } from '#domain/idempotency.ts';
import { concertDate, concertId, reservationId, userId } from '#domain/ids.ts';
import type { HoldKeys } from '#ports/booking/hold-keys.ts';
import { expectRefusal } from './expect-refusal.ts';

export type HoldKeysHarness = {
  readonly holdKeys: HoldKeys;
  /** How long acquired keys last: minutes, if time also passes by itself. */
  readonly acquiredTtlMs: number;
  /** Time passes for the keys of these seats. */
  passes(seats: SeatSet, milliseconds: number): Promise<void>;
};

/** What holds of all hold keys. `open` is called once per test. */
export function holdKeysContract(open: () => HoldKeysHarness): void {
  function hall() {
    const { holdKeys, acquiredTtlMs: ttl, passes } = open();
    const all: SeatSet = {
      concertId: concertId(newId()),
      date: concertDate('2027-05-01'),
      seatNumbers: [1, 2, 3, 4, 5],
    };
    const hold = (...seatNumbers: number[]): Hold => ({
      ...all,
      seatNumbers,
      userId: userId(newId()),
      reservationId: reservationId(newId()),
    });
    const another = (mine: Hold): Hold => ({ ...mine, reservationId: reservationId(newId()) });
    const request = (of: Hold, key: string = newId()): IdempotencyKey => ({ userId: of.userId, key, fingerprint: 'f' });
    const acquire = (wanted: Hold) => holdKeys.acquire(wanted, request(wanted));
    const expectTaken = (...seatNumbers: number[]) =>
      expectRefusal(acquire(hold(...seatNumbers)), 'seat-taken', { seatNumbers });
    /** Tries them, and leaves them as they are. */
    async function expectFree(...seatNumbers: number[]): Promise<void> {
      const stranger = hold(...seatNumbers);
      await acquire(stranger);
      await holdKeys.release(stranger);
    }
    const passing = (milliseconds: number) => passes(all, milliseconds);
    return { holdKeys, ttl, hold, another, request, acquire, expectTaken, expectFree, passes: passing };
  }

  describe('acquiring', () => {
    it('marks all of the seats', async () => {
      const { hold, acquire, expectTaken, expectFree } = hall();
      await acquire(hold(1, 2));
      await expectTaken(1);
      await expectTaken(2);
      await expectFree(3);
    });

    it('by several in the same moment answers each for itself, in the order in which they came', async () => {
      const { hold, acquire, expectTaken, expectFree } = hall();
      const outcomes = [acquire(hold(1, 2)), acquire(hold(2, 3)), acquire(hold(3)), acquire(hold(1, 3, 4))];
      await expect(outcomes[0]).resolves.toBe('acquired');
      await expectRefusal(outcomes[1] as Promise<unknown>, 'seat-taken', { seatNumbers: [2] });
      await expect(outcomes[2]).resolves.toBe('acquired');
      await expectRefusal(outcomes[3] as Promise<unknown>, 'seat-taken', { seatNumbers: [1, 3] });
      await expectTaken(3);
      await expectFree(4);
    });

    it('marks none of them when one is taken, and names those that are', async () => {
      const { hold, acquire, expectFree } = hall();
      await acquire(hold(2, 4));
      await expectRefusal(acquire(hold(1, 2, 3, 4)), 'seat-taken', { seatNumbers: [2, 4] });
      await expectFree(1, 3);
    });

    it('succeeds for exactly one of many at once', async () => {
      const { hold, acquire } = hall();
      const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => acquire(hold(1, 2))));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'seat-taken' });
      }
    });

    it('lasts as long as the command may take, and no longer', async () => {
      const { ttl, hold, acquire, expectTaken, expectFree, passes } = hall();
      await acquire(hold(1));
      await passes(0.3 * ttl);
      await expectTaken(1);
      await passes(ttl);
      await expectFree(1);
    });

    it('is not hindered by marks that the user has already, which stay as they are', async () => {
      const { holdKeys, hold, another, acquire, expectTaken } = hall();
      const mine = hold(1, 2);
      await acquire(mine);
      const again = another({ ...mine, seatNumbers: [2, 3] });
      expect(await acquire(again)).toBe('repeated');
      await holdKeys.release(again);
      await expectTaken(1, 2);
    });

    it('keeps dates and concerts apart', async () => {
      const { holdKeys, hold, acquire, request } = hall();
      const here = hold(1);
      await acquire(here);
      const elsewhere = [
        { ...hold(1), date: concertDate('2027-05-02') },
        { ...hold(1), concertId: concertId(newId()) },
      ];
      for (const there of elsewhere) await expect(holdKeys.acquire(there, request(there))).resolves.toBe('acquired');
    });
  });

  describe('a request that has its answer', () => {
    it('is not turned away, though the seats are taken, and marks nothing', async () => {
      const { holdKeys, ttl, hold, request, acquire, expectFree, passes } = hall();
      const mine = hold(1);
      const asked = request(mine);
      await holdKeys.remember(mine, asked);
      await holdKeys.acquire(mine, asked);
      await expectFree(1);
      const theirs = hold(1);
      await acquire(theirs);
      await expect(holdKeys.acquire(mine, asked)).resolves.toBe('repeated');
      await passes(ttl);
      await expectFree(1);
    });

    it('is that request only: not another of the same user, nor the same key of another user', async () => {
      const { holdKeys, hold, request, acquire } = hall();
      await acquire(hold(1));
      const mine = hold(1);
      const asked = request(mine);
      await holdKeys.remember(mine, asked);
      await expectRefusal(holdKeys.acquire(mine, request(mine)), 'seat-taken');
      const stranger = hold(1);
      await expectRefusal(holdKeys.acquire(stranger, request(stranger, asked.key)), 'seat-taken');
    });
  });

  describe('prolonging', () => {
    it('lets acquired keys last as long as given', async () => {
      const { holdKeys, ttl, hold, acquire, expectTaken, expectFree, passes } = hall();
      const mine = hold(1, 2);
      await acquire(mine);
      await holdKeys.prolong(mine, 5 * ttl);
      await passes(4 * ttl);
      await expectTaken(1, 2);
      await passes(ttl);
      await expectFree(1, 2);
    });

    it('marks nothing that was released since, or has run out', async () => {
      const { holdKeys, ttl, hold, acquire, expectFree, passes } = hall();
      const [released, late] = [hold(1), hold(2)];
      await acquire(released);
      await acquire(late);
      await holdKeys.release(released);
      await passes(ttl);
      for (const mine of [released, late]) await holdKeys.prolong(mine, 5 * ttl);
      await expectFree(1, 2);
    });

    it('leaves the marks of others, and those of another reservation of the same user', async () => {
      const { holdKeys, ttl, hold, another, acquire, expectTaken, expectFree, passes } = hall();
      const [theirs, mine] = [hold(1), hold(2)];
      await acquire(theirs);
      await acquire(mine);
      await holdKeys.prolong({ ...another(mine), seatNumbers: [1, 2] }, 5 * ttl);
      await expectTaken(1, 2);
      await passes(ttl);
      await expectFree(1, 2);
    });

    it('never shortens a mark', async () => {
      const { holdKeys, ttl, hold, acquire, expectTaken, passes } = hall();
      const mine = hold(1);
      await acquire(mine);
      await holdKeys.prolong(mine, 5 * ttl);
      await holdKeys.prolong(mine, ttl);
      await passes(4 * ttl);
      await expectTaken(1);
    });
  });

  describe('putting a lost key back', () => {
    it('sets what is missing, for no longer than acquired keys last, until the holder releases it', async () => {
      const { holdKeys, ttl, hold, expectTaken, expectFree, passes } = hall();
      const [theirs, others] = [hold(1, 2), hold(3)];
      expect(await holdKeys.putBack(theirs)).toBe(true);
      expect(await holdKeys.putBack(others)).toBe(true);
      await expectTaken(1, 2, 3);
      await holdKeys.release(theirs);
      await expectFree(1, 2);
      await passes(0.3 * ttl);
      await expectTaken(3);
      await passes(0.7 * ttl);
      await expectFree(3);
    });

    it('lasts no longer than the hold', async () => {
      const { holdKeys, ttl, hold, expectFree, passes } = hall();
      await holdKeys.putBack(hold(1), 0.2 * ttl);
      await passes(0.2 * ttl);
      await expectFree(1);
    });

    it('leaves a key that is there, does not prolong it, and says so', async () => {
      const { holdKeys, ttl, hold, acquire, expectTaken, expectFree, passes } = hall();
      const [old, young] = [hold(1), hold(1)];
      await acquire(young);
      await passes(0.2 * ttl);
      expect(await holdKeys.putBack(old)).toBe(false);
      expect(await holdKeys.putBack(young)).toBe(false);
      await holdKeys.release(old);
      await expectTaken(1);
      await passes(0.8 * ttl);
      await expectFree(1);
    });
  });

  describe('keeping', () => {
    it('marks the seats as long as given', async () => {
      const { holdKeys, ttl, hold, acquire, expectTaken, expectFree, passes } = hall();
      const mine = hold(1, 2);
      await acquire(mine);
      await holdKeys.keep(mine, 5 * ttl);
      await passes(4 * ttl);
      await expectTaken(1, 2);
      await passes(ttl);
      await expectFree(1, 2);
    });

    it('shortens a mark as well', async () => {
      const { holdKeys, ttl, hold, expectFree, passes } = hall();
      const mine = hold(1);
      await holdKeys.keep(mine, 5 * ttl);
      await holdKeys.keep(mine, ttl);
      await passes(ttl);
      await expectFree(1);
    });

    it('marks them whoever had them marked', async () => {
      const { holdKeys, ttl, hold, acquire, expectTaken } = hall();
      const theirs = hold(1);
      await acquire(theirs);
      const mine = hold(1);
      await holdKeys.keep(mine, ttl);
      await holdKeys.release(theirs);
      await expectTaken(1);
      await expect(acquire(mine)).resolves.toBe('repeated');
    });
  });

  describe('releasing', () => {
    it('takes the marks of this reservation away', async () => {
      const { holdKeys, hold, acquire, expectFree } = hall();
      const mine = hold(1, 2);
      await acquire(mine);
      await holdKeys.release(mine);
      await expectFree(1, 2);
    });

    it('leaves those of others, and those of another reservation of the same user', async () => {
      const { holdKeys, hold, another, acquire, expectTaken } = hall();
      const theirs = hold(1);
      const mine = hold(2);
      await acquire(theirs);
      await acquire(mine);
      await holdKeys.release({ ...another(mine), seatNumbers: [1, 2] });
      await expectTaken(1, 2);
    });

    it('is harmless when repeated', async () => {
      const { holdKeys, hold, acquire, expectTaken } = hall();
      const mine = hold(1);
      await acquire(mine);
      await holdKeys.release(mine);
      await holdKeys.release(mine);
      await acquire(hold(1));
      await holdKeys.release(mine);
      await expectTaken(1);
    });
  });
}
