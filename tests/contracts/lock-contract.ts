import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import type { SeatSet } from '#domain/booking/reservation.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import type { Lock } from '#ports/booking/lock.ts';

/** What holds of every lock that locks, as a rule. `open` is called once per test; its locks outlast a test. */
export function lockContract(open: () => Lock): void {
  function hall() {
    const concert = concertId(newId());
    const seats = (...seatNumbers: number[]): SeatSet => ({
      concertId: concert,
      date: concertDate('2027-05-01'),
      seatNumbers,
    });
    return { lock: open(), seats };
  }

  /** Work that has begun and does not end before it is told to. */
  async function begun(lock: Lock, seats: SeatSet) {
    const { promise: end, resolve: finish } = Promise.withResolvers<string>();
    const { promise: began, resolve: begin } = Promise.withResolvers<void>();
    const outcome = lock.during(seats, () => {
      begin();
      return end;
    });
    await began;
    return { outcome, finish };
  }

  describe('work under a lock', () => {
    it('runs, and its value is returned', async () => {
      const { lock, seats } = hall();
      expect(await lock.during(seats(1, 2), async () => 'done')).toEqual({ contended: false, value: 'done' });
    });

    it('does not start while other work holds one of the seats, and reports contention after a while', async () => {
      const { lock, seats } = hall();
      const { outcome, finish } = await begun(lock, seats(1, 2));
      let worked = false;
      const contended = await lock.during(seats(2, 3), async () => {
        worked = true;
      });
      expect(contended).toEqual({ contended: true });
      expect(worked).toBe(false);
      finish('done');
      expect(await outcome).toEqual({ contended: false, value: 'done' });
    });

    it('waits for other work that ends soon', async () => {
      const { lock, seats } = hall();
      const { outcome, finish } = await begun(lock, seats(1));
      const next = lock.during(seats(1), async () => 'next');
      finish('done');
      expect(await next).toEqual({ contended: false, value: 'next' });
      await outcome;
    });

    it('does not block work on other seats, dates or concerts', async () => {
      const { lock, seats } = hall();
      const { outcome, finish } = await begun(lock, seats(1));
      const others = [
        seats(2),
        { ...seats(1), date: concertDate('2027-05-02') },
        { ...seats(1), concertId: concertId(newId()) },
      ];
      for (const other of others) expect(await lock.during(other, async () => 1)).toMatchObject({ contended: false });
      finish('done');
      await outcome;
    });

    it('frees the seats when it fails, and propagates its error', async () => {
      const { lock, seats } = hall();
      const failure = new Error('the work failed');
      await expect(lock.during(seats(1), () => Promise.reject(failure))).rejects.toBe(failure);
      expect(await lock.during(seats(1), async () => 1)).toEqual({ contended: false, value: 1 });
    });

    it('runs one at a time, however many start at once', async () => {
      const { lock, seats } = hall();
      let working = 0;
      let most = 0;
      const work = async () => {
        working += 1;
        most = Math.max(most, working);
        await Promise.resolve();
        working -= 1;
      };
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => lock.during(seats(1), work)));
      expect(most).toBe(1);
      expect(outcomes.some(({ contended }) => !contended)).toBe(true);
    });
  });
}
