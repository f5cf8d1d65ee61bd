import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import { concertDate, concertId } from '#domain/ids.ts';
import { HOLD_MS, openBoxOffice, type StoreHarness } from './store-harness.ts';

/** What every box office tells of the seats that are held, to whoever has lost their marks. */
export function heldSeatsContract(harness: StoreHarness): void {
  const { boxOffice, passes } = harness;

  async function open() {
    const office = await openBoxOffice(harness);
    const on = { concertId: office.concert.concertId, date: office.date };
    const isListed = async () =>
      (await boxOffice.listDatesHeld()).some(({ concertId, date }) => concertId === on.concertId && date === on.date);
    const list = async (after = 0, max = 100) =>
      (await boxOffice.listHeld(on, { after, max })).map(({ seatNumber }) => seatNumber);
    return { ...office, on, isListed, list };
  }

  describe('the seats that are held', () => {
    it('are told with who has them, by which reservation, and for how much longer', async () => {
      const { user, hold, on, isListed } = await open();
      const [one, other] = [await user(), await user()];
      const late = await hold(other, 5);
      await passes(60_000);
      const early = await hold(one, 2, 3);
      const held = await boxOffice.listHeld(on, { after: 0, max: 100 });
      expect(held).toMatchObject([
        { seatNumber: 2, userId: one, reservationId: early.reservationId },
        { seatNumber: 3, userId: one, reservationId: early.reservationId },
        { seatNumber: 5, userId: other, reservationId: late.reservationId },
      ]);
      for (const { seatNumber, remainingMs } of held) {
        const most = seatNumber === 5 ? HOLD_MS - 60_000 : HOLD_MS;
        expect(remainingMs).toBeGreaterThan(most - 10_000);
        expect(remainingMs).toBeLessThanOrEqual(most);
      }
      expect(await boxOffice.findHeld(on, [1, 3, 5, 99])).toMatchObject([{ seatNumber: 3 }, { seatNumber: 5 }]);
      expect(await isListed()).toBe(true);
    });

    it('are told page by page', async () => {
      const { user, hold, list } = await open();
      await hold(await user(), 1, 2, 4);
      expect([await list(0, 2), await list(2, 2), await list(4, 2)]).toEqual([[1, 2], [4], []]);
    });

    it('are those only: neither free, nor sold, nor blocked, nor of a hold that is over, tidied away or not', async () => {
      const { user, hold, pay, concert, date, on, isListed, list } = await open();
      const fan = await user(100_000);
      await pay(await hold(fan, 1));
      await boxOffice.release(fan, (await hold(fan, 2)).reservationId);
      await boxOffice.block({ concertId: concert.concertId, date, seatNumbers: [3] });
      expect([await list(), await isListed()]).toEqual([[], false]);
      await hold(fan, 4);
      expect([await list(), await isListed()]).toEqual([[4], true]);
      await passes(HOLD_MS);
      expect([await list(), await isListed()]).toEqual([[], false]);
      expect(await boxOffice.findHeld(on, [1, 2, 3, 4, 5])).toEqual([]);
      await boxOffice.expireLapsed(1_000);
      expect(await list()).toEqual([]);
    });

    it('are none of a date that is not there', async () => {
      const nowhere = { concertId: concertId(newId()), date: concertDate('2027-05-01') };
      expect(await boxOffice.listHeld(nowhere, { after: 0, max: 10 })).toEqual([]);
      expect(await boxOffice.findHeld(nowhere, [1])).toEqual([]);
    });
  });
}
