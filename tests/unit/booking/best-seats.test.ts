import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SeatWish } from '#domain/booking/best-seats.ts';
import { placeWithoutPlan } from '#tests/fakes/memory-store.ts';
import { type Block, bestBlocks, type FreeSeat, orphanSeatsOf } from '#tests/support/best-seats.ts';
import { freeSeats, halls, wishes } from '#tests/support/halls.ts';

const unplanned = (...seatNumbers: number[]): FreeSeat[] =>
  seatNumbers.map((seatNumber) => ({ seatNumber, ...placeWithoutPlan(seatNumber) }));
const row = (first: number, last: number) =>
  unplanned(...Array.from({ length: last - first + 1 }, (_, index) => first + index));
const best = (free: FreeSeat[], quantity: number) => bestBlocks(free, { quantity })[0]?.seatNumbers;

/** Free seats of a random hall, what is wished for, and what fulfils it. */
const asked = fc.tuple(halls, wishes).chain(([hall, wish]) => freeSeats(hall).map((free) => ({ free, wish })));

const placesOf = (free: readonly FreeSeat[], { seatNumbers }: Pick<Block, 'seatNumbers'>) =>
  free.filter(({ seatNumber }) => seatNumbers.includes(seatNumber)).sort((a, b) => a.place - b.place);
const fits = ({ section, grade }: SeatWish, seat: FreeSeat) =>
  (section === undefined || seat.section === section) && (grade === undefined || seat.grade === grade);

/** Every set of free seats in consecutive places of one row, found the slow way. */
function neighbours(free: readonly FreeSeat[], wish: SeatWish): string[] {
  return free.flatMap((start) => {
    const seats = Array.from({ length: wish.quantity }, (_, index) =>
      free.find(
        ({ section, row, place }) => section === start.section && row === start.row && place === start.place + index,
      ),
    );
    if (!seats.every((seat) => seat !== undefined && fits(wish, seat))) return [];
    return [keyOf(seats.map((seat) => seat?.seatNumber ?? 0))];
  });
}
const keyOf = (seatNumbers: readonly number[]) => seatNumbers.toSorted((a, b) => a - b).join();

describe('the best seats', () => {
  it('are free, adjacent in one row, as requested, and none are overlooked', () => {
    fc.assert(
      fc.property(asked, ({ free, wish }) => {
        const found = bestBlocks(free, wish).map(({ seatNumbers }) => keyOf(seatNumbers));
        expect(found.toSorted()).toEqual(neighbours(free, wish).toSorted());
      }),
    );
  });

  it('leave no orphan seat if other seats in an equally good row avoid it', () => {
    fc.assert(
      fc.property(asked, ({ free, wish }) => {
        const blocks = bestBlocks(free, wish);
        const single = ({ seatNumbers }: Block) => {
          const rest = free.filter(({ seatNumber }) => !seatNumbers.includes(seatNumber));
          const isAlone = (seat: FreeSeat) =>
            !rest.some((other) => besides(seat, other)) && free.some((other) => besides(seat, other));
          return rest.some(isAlone);
        };
        const [first] = blocks;
        if (first === undefined || !single(first)) return;
        expect(blocks.filter(({ rank }) => rank === first.rank).every(single)).toBe(true);
      }),
    );
  });

  it('are in the best row that has any', () => {
    fc.assert(
      fc.property(asked, ({ free, wish }) => {
        const blocks = bestBlocks(free, wish);
        const ranks = blocks.map((block) => placesOf(free, block)[0]?.rank ?? 0);
        expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
      }),
    );
  });

  it('are in the middle of the row', () => {
    expect(best(row(1, 10), 2)).toEqual([5, 6]);
    expect(best(row(1, 10), 10)).toEqual(row(1, 10).map(({ seatNumber }) => seatNumber));
    expect(best(row(1, 20), 1)).toEqual([5]);
  });

  it.each([
    ['a row', row(1, 10)],
    ['the middle of a row', row(2, 9)],
  ])('are adjacent to those of other groups, so that pairs fill %s', (_, seats) => {
    let free = seats;
    for (let groups = 0; groups < seats.length / 2; groups++) {
      const taken = best(free, 2) ?? [];
      free = free.filter(({ seatNumber }) => !taken.includes(seatNumber));
    }
    expect(free).toEqual([]);
  });

  it('are further back if there are none in front, and do not exist if there are none', () => {
    expect(best(unplanned(1, 3, 5, 12, 13), 2)).toEqual([12, 13]);
    expect(best(unplanned(10, 11), 2)).toBeUndefined();
    expect(best([], 1)).toBeUndefined();
  });

  it('are, if orphan seats are forbidden, those that may be held', () => {
    fc.assert(
      fc.property(asked, ({ free, wish }) => {
        const allowed = bestBlocks(free, wish, 'enforce').map(({ seatNumbers }) => seatNumbers);
        const any = bestBlocks(free, wish).map(({ seatNumbers }) => seatNumbers);
        expect(allowed).toEqual(any.filter((seatNumbers) => orphanSeatsOf(free, seatNumbers).length === 0));
      }),
    );
  });

  it('always exist although orphan seats are forbidden, without a requested section or grade', () => {
    fc.assert(
      fc.property(asked, ({ free, wish: { quantity } }) => {
        const enforced = bestBlocks(free, { quantity }, 'enforce')[0];
        expect(enforced).toEqual(bestBlocks(free, { quantity })[0]);
      }),
    );
  });
});

const besides = (one: FreeSeat, other: FreeSeat) =>
  one.section === other.section && one.row === other.row && Math.abs(one.place - other.place) === 1;

describe('a seat is an orphan', () => {
  it.each([
    ['between one taken now and one taken before', row(1, 4), [3], [4]],
    ['at the end of the row', row(1, 10), [2], [1]],
    ['on both sides', row(1, 10), [3, 5], [4]],
    ['in two rows', row(1, 20), [2, 19], [1, 20]],
  ])('%s', (_, free, taken, stranded) => {
    expect(orphanSeatsOf(free, taken)).toEqual(stranded);
  });

  it.each([
    ['when two are left', row(1, 4), [3, 4]],
    ['when it was an orphan before', unplanned(1, 3, 4, 5, 6), [3, 4]],
    ['when there is no other choice: all but one are taken', row(1, 3), [1, 3]],
    ['when all are taken', row(1, 10), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ['when nothing is', row(1, 10), []],
  ])('not %s', (_, free, taken) => {
    expect(orphanSeatsOf(free, taken)).toEqual([]);
  });
});
