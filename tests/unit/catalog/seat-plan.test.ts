import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faultsOf, runsOf, type SeatPlan, seatsOfPlan } from '#domain/catalog/seat-plan.ts';
import { halls, placesIn } from '#tests/support/halls.ts';

const PLAN: SeatPlan = {
  version: 1,
  grades: [{ grade: 'R', price: 100 }],
  sections: [{ section: 'Stalls', rows: [{ row: 'A', seats: [{ first: 1, last: 4, grade: 'R' }] }] }],
  blocked: [],
};
const rowOf = (...seats: SeatPlan['sections'][number]['rows'][number]['seats'][number][]): SeatPlan => ({
  ...PLAN,
  sections: [{ section: 'Stalls', rows: [{ row: 'A', seats }] }],
});
const sectionOf = (section: string, first: number, rows: number, rank?: number) => ({
  section,
  rank,
  rows: Array.from({ length: rows }, (_, row) => ({
    row: String(row + 1),
    seats: [{ first: first + row, last: first + row, grade: 'R' }],
  })),
});
const ranksOf = (plan: SeatPlan) => runsOf(plan).map(({ at }) => `${at?.section} ${at?.row}: ${at?.rank}`);

describe('a seat plan', () => {
  it('gives each seat its own place, and the price of its grade', () => {
    fc.assert(
      fc.property(halls, (plan) => {
        expect(faultsOf(plan)).toEqual([]);
        const seats = placesIn(plan);
        expect(seats).toHaveLength(seatsOfPlan(plan));
        expect(new Set(seats.map(({ section, row, place }) => `${section} ${row} ${place}`)).size).toBe(seats.length);
        expect(new Set(seats.map(({ seatNumber }) => seatNumber)).size).toBe(seats.length);
        for (const { price, at } of runsOf(plan)) {
          expect(price).toBe(plan.grades.find(({ grade }) => grade === at?.grade)?.price);
        }
      }),
    );
  });

  it('counts places from the left, an aisle included, for ascending and descending numbers', () => {
    const plan = rowOf({ first: 1, last: 2, grade: 'R', aisle: true }, { first: 6, last: 4, grade: 'R', aisle: true });
    const places = placesIn(plan).map(({ seatNumber, place, offCentre }) => [seatNumber, place, offCentre]);
    expect(places).toEqual([
      [1, 1, -5],
      [2, 2, -3],
      [6, 4, 1],
      [5, 5, 3],
      [4, 6, 5],
    ]);
  });

  it('ranks rows from the front, section by section', () => {
    const plan = { ...PLAN, sections: [sectionOf('Stalls', 1, 2), sectionOf('Balcony', 11, 2)] };
    expect(ranksOf(plan)).toEqual(['Stalls 1: 1', 'Stalls 2: 2', 'Balcony 1: 3', 'Balcony 2: 4']);
  });

  it('ranks the rows of equally good sections alike, and the next section after the deepest of them', () => {
    const plan = {
      ...PLAN,
      sections: [sectionOf('Balcony', 21, 1, 2), sectionOf('Left', 1, 1, 1), sectionOf('Right', 11, 2, 1)],
    };
    expect(ranksOf(plan)).toEqual(['Balcony 1: 3', 'Left 1: 1', 'Right 1: 1', 'Right 2: 2']);
  });

  it.each<[fault: string, plan: SeatPlan, path: string]>([
    [
      'a seat twice in another run',
      rowOf({ first: 1, last: 3, grade: 'R' }, { first: 5, last: 3, grade: 'R' }),
      'sections/0/rows/0/seats/1',
    ],
    ['an unknown grade', rowOf({ first: 1, last: 3, grade: 'S' }), 'sections/0/rows/0/seats/0/grade'],
    ['a grade twice', { ...PLAN, grades: [...PLAN.grades, ...PLAN.grades] }, 'grades'],
    ['a section twice', { ...PLAN, sections: [sectionOf('A', 1, 1), sectionOf('A', 2, 1)] }, 'sections'],
    [
      'a row twice',
      { ...PLAN, sections: [{ section: 'A', rows: [...sectionOf('', 1, 1).rows, ...sectionOf('', 2, 1).rows] }] },
      'sections/0/rows',
    ],
    ['an unknown blocked seat', { ...PLAN, blocked: [5] }, 'blocked'],
    ['a blocked seat twice', { ...PLAN, blocked: [1, 1] }, 'blocked'],
  ])('with %s is invalid, with the path of the fault', (_, plan, path) => {
    expect(faultsOf(plan).map((fault) => fault.path.join('/'))).toEqual([path]);
  });
});
