import fc from 'fast-check';
import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import { orphanSeatsPolicies, type SeatWish } from '#domain/booking/best-seats.ts';
import { concertDate, reservationId, userId } from '#domain/ids.ts';
import type { BestOrder } from '#ports/booking/box-office.ts';
import { bestBlocks, type FreeSeat, orphanSeatsOf } from '#tests/support/best-seats.ts';
import { halls, placesIn, wishes } from '#tests/support/halls.ts';
import { expectRefusal } from './expect-refusal.ts';
import { WEEK_MS } from './stage-concert.ts';
import { ask, granted, HOLD_MS, openBoxOffice, type StoreHarness } from './store-harness.ts';

const PRICES = Array.from({ length: 20 }, () => 100);
const SEED = 1;
const DATE = { startsInMs: WEEK_MS, prices: PRICES };

/**
 * What holds of every box office that chooses seats, or looks after those beside them. Rows are ten seats wide.
 *
 * @param numRuns how many random halls are tried, of each kind
 */
export function bestSeatsContract(harness: StoreHarness, numRuns = 60): void {
  const { boxOffice, concerts, passes } = harness;

  async function open(dates: Parameters<typeof openBoxOffice>[1] = { dates: [DATE] }) {
    const office = await openBoxOffice(harness, dates);
    const { concert, date: on, orderOf } = office;
    const bestOrderOf = (user: ReturnType<typeof userId>, wish: SeatWish, rest: Partial<BestOrder> = {}): BestOrder => {
      const { seatNumbers: _, ...order } = orderOf(user, [], { seatsPerUserMax: 100 });
      return { ...order, wish, ...rest };
    };
    const best = async (wish: SeatWish, rest?: Partial<BestOrder>) =>
      granted(await boxOffice.holdBest(bestOrderOf(await office.user(), wish, rest))).seatNumbers;
    /** The free seats, with their places if the hall has a plan. */
    async function free(plan?: Parameters<typeof placesIn>[0]): Promise<FreeSeat[]> {
      const seats = (await concerts.listSeats(concert.concertId, on)) ?? [];
      const numbers = new Set(seats.flatMap(({ seatNumber, status }) => (status === 'AVAILABLE' ? [seatNumber] : [])));
      return (plan === undefined ? [] : placesIn(plan)).filter(({ seatNumber }) => numbers.has(seatNumber));
    }
    return { ...office, bestOrderOf, best, free };
  }

  describe('holding the best seats', () => {
    it('holds the best of the free seats in any hall, or returns that there are none, and how many are left', async () => {
      const cases = fc.tuple(halls, wishes, fc.constantFrom(...orphanSeatsPolicies)).chain(([plan, wish, policy]) => {
        const numbers = placesIn(plan).map(({ seatNumber }) => seatNumber);
        return fc.record({
          plan: fc.constant(plan),
          wish: fc.constant(wish),
          strandedSeats: fc.constant(policy),
          gone: fc.subarray(numbers),
        });
      });
      await fc.assert(
        fc.asyncProperty(cases, async ({ plan, wish, strandedSeats, gone }) => {
          const { user, bestOrderOf, free } = await open({ dates: [{ startsInMs: WEEK_MS, plan, blocked: gone }] });
          const before = await free(plan);
          const [expected] = bestBlocks(before, wish, strandedSeats);
          const holding = boxOffice.holdBest(bestOrderOf(await user(), wish, { strandedSeats }));
          if (expected === undefined) {
            const left = before.filter((seat) => fits(wish, seat)).length;
            await expectRefusal(holding, 'no-adjacent-seats', { quantity: wish.quantity, left });
          } else {
            expect(granted(await holding).seatNumbers).toEqual(expected.seatNumbers);
            expect((await free(plan)).length).toBe(before.length - wish.quantity);
          }
        }),
        { seed: SEED, numRuns },
      );
    });

    it('takes seats with an expired hold', async () => {
      const { user, hold, best, statusOf } = await open();
      const late = await hold(await user(), 5, 6);
      expect(await best({ quantity: 2 })).not.toEqual([5, 6]);
      await passes(HOLD_MS);
      expect(await best({ quantity: 2 })).toEqual([5, 6]);
      expect(await statusOf(late)).toBe('EXPIRED');
    });

    it('repeats its first answer with the same seats, also when none are left', async () => {
      const { user, bestOrderOf } = await open({ dates: [{ ...DATE, prices: [1, 1] }] });
      const order = bestOrderOf(await user(), { quantity: 2 });
      const first = await boxOffice.holdBest(order);
      const again = await boxOffice.holdBest({ ...order, reservationId: reservationId(newId()) });
      expect(again).toMatchObject({ outcome: 'held', answer: first.answer, replayed: true });
      const other = { ...order, wish: { quantity: 1 }, request: ask(order.userId, order.request.key, 'one') };
      await expectRefusal(boxOffice.holdBest(other), 'idempotency-key-reused');
    });

    it('sells out to a crowd, and refuses nobody while seats are free', async () => {
      const { user, bestOrderOf, statuses } = await open();
      const fans = await Promise.all(Array.from({ length: 25 }, () => user()));
      const outcomes = await Promise.allSettled(
        fans.map((fan) => boxOffice.holdBest(bestOrderOf(fan, { quantity: 2 }))),
      );
      const codes = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'held' : outcome.reason.code));
      expect(codes.toSorted()).toEqual([...Array(10).fill('held'), ...Array(15).fill('no-adjacent-seats')]);
      expect(new Set(await statuses())).toEqual(new Set(['HELD']));
    });

    it('is refused to unknown users, beyond the limit, and for a date that is unknown or has begun', async () => {
      const { user, bestOrderOf } = await open();
      const begun = await open({ dates: [{ ...DATE, startsInMs: -1_000 }] });
      const wish = { quantity: 2 };
      const fan = await user();
      await expectRefusal(boxOffice.holdBest(bestOrderOf(userId(newId()), wish)), 'user-not-found');
      const limited = bestOrderOf(fan, wish, { seatsPerUserMax: 1 });
      await expectRefusal(boxOffice.holdBest(limited), 'seat-limit-reached', { limit: 1, held: 0 });
      const unknown = bestOrderOf(fan, wish, { date: concertDate('2001-01-01') });
      await expectRefusal(boxOffice.holdBest(unknown), 'date-not-found');
      await expectRefusal(boxOffice.holdBest(begun.bestOrderOf(fan, wish)), 'date-not-found');
    });
  });

  describe('a hold that would leave an orphan seat', () => {
    const cases = halls.chain((plan) => {
      const numbers = placesIn(plan).map(({ seatNumber }) => seatNumber);
      return fc
        .shuffledSubarray(numbers, { minLength: 1 })
        .chain((free) =>
          fc.record({ plan: fc.constant(plan), free: fc.constant(free), asked: fc.subarray(free, { minLength: 1 }) }),
        );
    });
    const stage = async ({ plan, free }: { plan: Parameters<typeof placesIn>[0]; free: readonly number[] }) => {
      const blocked = placesIn(plan).flatMap(({ seatNumber }) => (free.includes(seatNumber) ? [] : [seatNumber]));
      return open({ dates: [{ startsInMs: WEEK_MS, plan, blocked }] });
    };

    it('is refused with the seat if the order forbids it, in any hall, and no other hold is', async () => {
      await fc.assert(
        fc.asyncProperty(cases, async ({ asked, ...hall }) => {
          const { user, orderOf, free } = await stage(hall);
          const stranded = orphanSeatsOf(await free(hall.plan), asked);
          const seatNumbers = asked.toSorted((a, b) => a - b);
          const order = orderOf(await user(), seatNumbers, { seatsPerUserMax: 100, strandedSeats: 'enforce' });
          if (stranded.length === 0) expect(granted(await boxOffice.hold(order)).seatNumbers).toEqual(seatNumbers);
          else await expectRefusal(boxOffice.hold(order), 'seat-stranded', { seatNumbers: stranded });
        }),
        { seed: SEED, numRuns },
      );
    });

    it('names the seat if the order warns, on each repetition, and does not otherwise', async () => {
      const { user, orderOf } = await open();
      const warned = orderOf(await user(), [2], { strandedSeats: 'warn' });
      const first = await boxOffice.hold(warned);
      expect(granted(first)).toMatchObject({ seatNumbers: [2], strandedSeatNumbers: [1] });
      expect(await boxOffice.hold(warned)).toMatchObject({ replayed: true, answer: granted(first) });
      const careless = granted(await boxOffice.hold(orderOf(await user(), [9])));
      expect(careless).not.toHaveProperty('strandedSeatNumbers');
      const harmless = granted(await boxOffice.hold(orderOf(await user(), [15], { strandedSeats: 'warn' })));
      expect(harmless).not.toHaveProperty('strandedSeatNumbers');
    });

    it('is refused for a taken seat first', async () => {
      const { user, hold, orderOf } = await open();
      await hold(await user(), 3);
      const order = orderOf(await user(), [2, 3], { strandedSeats: 'enforce' });
      expect(await boxOffice.hold(order)).toMatchObject({ outcome: 'taken', occupied: [{ seatNumber: 3 }] });
    });

    it('is refused when two concurrent holds would leave the seat together', async () => {
      const { user, orderOf, statuses } = await open({ dates: [{ ...DATE, prices: PRICES.slice(0, 10) }] });
      const [one, other] = [await user(), await user()];
      const enforce = { strandedSeats: 'enforce' } as const;
      const outcomes = await Promise.allSettled([
        boxOffice.hold(orderOf(one, [3, 4], enforce)),
        boxOffice.hold(orderOf(other, [6, 7], enforce)),
      ]);
      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect((await statuses())?.filter((status) => status === 'AVAILABLE')).toHaveLength(8);
    });
  });

  describe('blocking seats', () => {
    it('takes them off sale until they are unblocked, and is harmless when repeated', async () => {
      const { concert, date, user, hold, orderOf, statuses } = await open({ dates: [{ ...DATE, prices: [1, 1, 1] }] });
      const seats = { concertId: concert.concertId, date, seatNumbers: [1, 2] };
      await boxOffice.block(seats);
      await boxOffice.block(seats);
      expect(await statuses()).toEqual(['BLOCKED', 'BLOCKED', 'AVAILABLE']);
      expect(await boxOffice.hold(orderOf(await user(), [2, 3]))).toMatchObject({ outcome: 'taken' });
      await boxOffice.unblock({ ...seats, seatNumbers: [2, 3] });
      await boxOffice.unblock({ ...seats, seatNumbers: [2] });
      expect(await statuses()).toEqual(['BLOCKED', 'AVAILABLE', 'AVAILABLE']);
      expect((await hold(await user(), 2, 3)).seatNumbers).toEqual([2, 3]);
    });

    it('is refused for held and sold seats, and then blocks no others', async () => {
      const { concert, date, user, hold, pay, statuses } = await open({ dates: [{ ...DATE, prices: [1, 1, 1] }] });
      const fan = await user(1);
      await pay(await hold(fan, 1));
      await hold(fan, 2);
      const seats = { concertId: concert.concertId, date, seatNumbers: [1, 2, 3] };
      await expectRefusal(boxOffice.block(seats), 'seat-taken', { seatNumbers: [1, 2] });
      await boxOffice.unblock(seats);
      expect(await statuses()).toEqual(['SOLD', 'HELD', 'AVAILABLE']);
    });

    it('ends an expired hold', async () => {
      const { concert, date, user, hold, statusOf, statuses } = await open({ dates: [{ ...DATE, prices: [1, 1] }] });
      const late = await hold(await user(), 1, 2);
      await passes(HOLD_MS);
      await boxOffice.block({ concertId: concert.concertId, date, seatNumbers: [1] });
      expect(await statusOf(late)).toBe('EXPIRED');
      expect(await statuses()).toEqual(['BLOCKED', 'AVAILABLE']);
    });

    it('is refused for seats that do not exist', async () => {
      const { concert, date } = await open({ dates: [{ ...DATE, prices: [1] }] });
      const seats = { concertId: concert.concertId, date, seatNumbers: [1, 2] };
      await expectRefusal(boxOffice.block(seats), 'seat-not-found', { seatNumbers: [2] });
      await expectRefusal(boxOffice.unblock(seats), 'seat-not-found', { seatNumbers: [2] });
    });
  });
}

const fits = ({ section, grade }: SeatWish, seat: FreeSeat) =>
  (section === undefined || seat.section === section) && (grade === undefined || seat.grade === grade);
