import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import { concertDate, concertId } from '#domain/ids.ts';
import { HOLD_MS, openBoxOffice, type StoreHarness } from './store-harness.ts';

/** What every box office tells about held seats, so that a lost hold key can be put back. */
export function heldSeatsContract(harness: StoreHarness): void {
  const { boxOffice, passes } = harness;

  async function open() {
    const office = await openBoxOffice(harness);
    const on = { concertId: office.concert.concertId, date: office.date };
    const held = async () => (await boxOffice.findHeld(on, [1, 2, 3, 4, 5])).map(({ seatNumber }) => seatNumber);
    return { ...office, on, held };
  }

  describe('held seats', () => {
    it('are returned with their user, their reservation and the remaining time', async () => {
      const { user, hold, on } = await open();
      const [one, other] = [await user(), await user()];
      const late = await hold(other, 5);
      await passes(60_000);
      const early = await hold(one, 2, 3);
      const held = await boxOffice.findHeld(on, [5, 3, 2, 1, 99]);
      expect(held).toMatchObject([
        { seatNumber: 2, userId: one, reservationId: early.reservationId },
        { seatNumber: 3, userId: one, reservationId: early.reservationId },
        { seatNumber: 5, userId: other, reservationId: late.reservationId },
      ]);
      for (const { seatNumber, remainingMs } of held) {
        const most = seatNumber === 5 ? HOLD_MS - 60_000 : HOLD_MS;
        expect(remainingMs).toBeGreaterThan(0);
        expect(remainingMs).toBeLessThanOrEqual(most);
      }
    });

    it('exclude free, sold and blocked seats, and those past their deadline', async () => {
      const { user, hold, pay, concert, date, held } = await open();
      const fan = await user(100_000);
      await pay(await hold(fan, 1));
      await boxOffice.release(fan, (await hold(fan, 2)).reservationId);
      await boxOffice.block({ concertId: concert.concertId, date, seatNumbers: [3] });
      expect(await held()).toEqual([]);
      await hold(fan, 4);
      expect(await held()).toEqual([4]);
      await passes(HOLD_MS);
      expect(await held()).toEqual([]);
      await boxOffice.expireLapsed(1_000);
      expect(await held()).toEqual([]);
    });

    it('do not exist for an unknown date', async () => {
      const nowhere = { concertId: concertId(newId()), date: concertDate('2027-05-01') };
      expect(await boxOffice.findHeld(nowhere, [1])).toEqual([]);
    });
  });
}
