import fc from 'fast-check';
import type { SeatWish } from '#domain/booking/best-seats.ts';
import { numbersOf, runsOf, type SeatPlan } from '#domain/catalog/seat-plan.ts';
import type { FreeSeat } from './best-seats.ts';

// Random halls, for what must hold in each of them.

const SECTIONS = ['Stalls', 'Balcony', 'Box'];
const GRADES = ['R', 'S'];

const run = fc.record({
  seats: fc.integer({ min: 1, max: 7 }),
  grade: fc.constantFrom(...GRADES),
  aisle: fc.boolean(),
  downwards: fc.boolean(),
});
const sections = fc.array(
  fc.record({
    rank: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    rows: fc.array(fc.array(run, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
  }),
  { minLength: 1, maxLength: SECTIONS.length },
);

/** A hall whose plan has no fault. */
export const halls: fc.Arbitrary<SeatPlan> = sections.map((drawn) => {
  let number = 0;
  return {
    version: 1,
    grades: GRADES.map((grade, index) => ({ grade, price: 1_000 * (index + 1) })),
    sections: drawn.map(({ rank, rows }, s) => ({
      section: SECTIONS[s] ?? '',
      rank,
      rows: rows.map((runs, r) => ({
        row: String.fromCharCode('A'.charCodeAt(0) + r),
        seats: runs.map(({ seats, grade, aisle, downwards }) => {
          const [low, high] = [number + 1, number + seats];
          number = high;
          return { first: downwards ? high : low, last: downwards ? low : high, grade, aisle };
        }),
      })),
    })),
    blocked: [],
  };
});

export const wishes: fc.Arbitrary<SeatWish> = fc.record({
  quantity: fc.integer({ min: 1, max: 5 }),
  section: fc.option(fc.constantFrom(...SECTIONS), { nil: undefined }),
  grade: fc.option(fc.constantFrom(...GRADES), { nil: undefined }),
});

/** Every seat of a hall, where it is. */
export function placesIn(plan: SeatPlan): FreeSeat[] {
  return runsOf(plan).flatMap(({ at, ...numbers }) => {
    if (at === undefined) throw new RangeError('a planned seat without a place');
    return numbersOf(numbers).map((seatNumber, index) => ({
      ...at,
      seatNumber,
      place: at.place + index,
      offCentre: at.offCentre + 2 * index,
    }));
  });
}

/** Some of the seats of a hall, each as likely as any. */
export const freeSeats = (plan: SeatPlan): fc.Arbitrary<FreeSeat[]> => fc.shuffledSubarray(placesIn(plan));
