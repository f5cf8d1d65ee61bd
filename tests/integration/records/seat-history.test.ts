import { describe, expect, test } from 'vitest';
import { postgresRecords } from '#adapters/postgres/records/records.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import type { SeatChange } from '#domain/records/records.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { postgresHarness } from '#tests/contracts/postgres-harness.ts';
import { allPages, HOLD_MS, openBoxOffice } from '#tests/contracts/store-harness.ts';

const harness = await postgresHarness();
const { boxOffice, passes } = harness;
const { pool } = harness.postgres;
const records = postgresRecords(harness.postgres);
const PLENTY = 100;

/** A box office, and what is on record of its seats, oldest first. */
async function office() {
  const opened = await openBoxOffice(harness);
  const { concert, date } = opened;
  const { concertId } = concert;
  const seats = (...seatNumbers: number[]) => ({ concertId, date, seatNumbers });
  const history = async (seatNumber: number): Promise<readonly SeatChange[]> =>
    (await records.listSeatHistory({ concertId, date, seatNumber }, { limit: PLENTY })).items.toReversed();
  const changes = async (seatNumber: number) => (await history(seatNumber)).map(({ change }) => change);
  return { ...opened, seats, history, changes };
}

describe('the history of a seat', () => {
  test('has each change with user, reservation, payment, fence and price', async () => {
    const now = async () => (await pool.query<{ now: Date }>('SELECT clock_timestamp() AS now')).rows[0]?.now;
    const before = await now();
    const { user, hold, pay, cancel, history } = await office();
    const [one, other] = [await user(100_000), await user(100_000)];
    const first = await hold(one, 1, 2);
    const paid = await pay(first);
    await cancel(first);
    const second = await hold(other, 1);
    const { reservationId } = first;
    const { paymentId } = paid.answer;
    const told = (await history(1)).map(({ changeId: _, changedAt: __, ...change }) => change);
    const seat = { price: 10_000, currency: 'KRW' };
    expect(told).toEqual([
      { ...seat, change: 'created', fence: 0 },
      { ...seat, change: 'held', fence: 1, userId: one, reservationId },
      { ...seat, change: 'sold', fence: 1, userId: one, reservationId, paymentId },
      { ...seat, change: 'refunded', fence: 1, userId: one, reservationId, paymentId },
      { ...seat, change: 'held', fence: 2, userId: other, reservationId: second.reservationId },
    ]);
    expect((await history(2)).map(({ change }) => change)).toEqual(['created', 'held', 'sold', 'refunded']);
    const times = [before, ...(await history(1)).map(({ changedAt }) => changedAt), await now()].map(Number);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test('distinguishes a released hold from an expired one, however it was freed', async () => {
    const { user, hold, cancel, extend, changes, seats } = await office();
    const fan = await user();
    await boxOffice.release(fan, (await hold(fan, 1)).reservationId);
    await cancel(await hold(fan, 2));
    await hold(fan, 3);
    await extend(await hold(fan, 4));
    await hold(await user(), 5);
    await passes(HOLD_MS);
    await boxOffice.block(seats(5));
    await hold(await user(), 3);
    await passes(HOLD_MS);
    await boxOffice.expireLapsed(1_000);
    await boxOffice.expireLapsed(1_000);
    expect(await Promise.all([1, 2, 3, 4, 5].map(changes))).toEqual([
      ['created', 'held', 'released'],
      ['created', 'held', 'released'],
      ['created', 'held', 'expired', 'held', 'expired'],
      ['created', 'held', 'expired'],
      ['created', 'held', 'expired', 'blocked'],
    ]);
  });

  test('has the changes by operators, and only actual changes', async () => {
    const { changes, seats } = await office();
    await boxOffice.block(seats(1, 2));
    await boxOffice.block(seats(2, 3));
    await boxOffice.unblock(seats(1, 2, 4));
    expect(await Promise.all([1, 2, 3, 4].map(changes))).toEqual([
      ['created', 'blocked', 'unblocked'],
      ['created', 'blocked', 'unblocked'],
      ['created', 'blocked'],
      ['created'],
    ]);
  });

  test('has no change by a command that was rolled back', async () => {
    const { user, hold, pay, changes } = await office();
    const poor = await user();
    await expectRefusal(pay(await hold(poor, 1)), 'insufficient-balance');
    await expect(hold(await user(), 1, 2)).rejects.toThrow();
    await expect(pool.query("UPDATE seats SET status = 'SOLD' WHERE status = 'HELD'")).rejects.toThrow();
    expect([await changes(1), await changes(2)]).toEqual([['created', 'held'], ['created']]);
  });

  test('is listed newest first, in pages, each change once, and not for an unknown seat', async () => {
    const { user, hold, concert, date, history } = await office();
    const fan = await user();
    for (let times = 0; times < 4; times++) await boxOffice.release(fan, (await hold(fan, 1)).reservationId);
    const seat = { concertId: concert.concertId, date, seatNumber: 1 };
    const pages = await allPages((page) => records.listSeatHistory(seat, page), 4);
    expect(pages.map(({ length }) => length)).toEqual([4, 4, 1]);
    expect(pages.flat().toReversed()).toEqual(await history(1));
    const nowhere = [
      { ...seat, seatNumber: 99 },
      { ...seat, date: concertDate('2000-01-01') },
      { ...seat, concertId: concertId(crypto.randomUUID()) },
    ];
    for (const missing of nowhere)
      await expectRefusal(records.listSeatHistory(missing, { limit: 1 }), 'seat-not-found');
  });

  test('records any statement that changes seats, of one or many', async () => {
    const { concert, changes, user, hold } = await office();
    await hold(await user(), 2);
    await pool.query("UPDATE seats SET status = 'BLOCKED' WHERE concert_id = $1 AND status = 'AVAILABLE'", [
      concert.concertId,
    ]);
    await pool.query("UPDATE seats SET status = 'AVAILABLE' WHERE concert_id = $1 AND status = 'BLOCKED'", [
      concert.concertId,
    ]);
    await pool.query('UPDATE seats SET price = price + 1, fence = fence WHERE concert_id = $1', [concert.concertId]);
    expect([await changes(1), await changes(2)]).toEqual([
      ['created', 'blocked', 'unblocked'],
      ['created', 'held'],
    ]);
  });

  test.each(["UPDATE seat_history SET change = 'blocked'", 'DELETE FROM seat_history', 'TRUNCATE seat_history'])(
    'is append-only: no %s',
    async (change) => {
      await office();
      await expect(pool.query(change)).rejects.toThrow(/on seat_history is not allowed/);
    },
  );
});
