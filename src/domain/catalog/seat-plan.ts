import type { Money } from '#domain/wallet/money.ts';

/** A hall: where each seat is, and what it costs. */
export type SeatPlan = {
  /** Chosen by the operator. */
  readonly version: number;
  readonly grades: readonly { readonly grade: string; readonly price: Money }[];
  /** The best first, unless ranks say otherwise. */
  readonly sections: readonly PlannedSection[];
  /** Seats that are not for sale for now. */
  readonly blocked: readonly number[];
};

export type PlannedSection = {
  readonly section: string;
  /** 1 is the best. Sections of one rank are equally good, row by row. Defaults to the position in the list. */
  readonly rank?: number | undefined;
  /** The front row first. */
  readonly rows: readonly PlannedRow[];
};

export type PlannedRow = {
  readonly row: string;
  /** From left to right. */
  readonly seats: readonly PlannedSeats[];
};

/** Adjacent seats, numbered from `first` to `last`, upwards or downwards. */
export type PlannedSeats = {
  readonly first: number;
  readonly last: number;
  readonly grade: string;
  /** Whether an aisle separates them from the seats to their left. */
  readonly aisle?: boolean | undefined;
};

/** A stored plan, unchanged. Its hash identifies it. */
export type KeptPlan = { readonly plan: SeatPlan; readonly sha256: string };

/** Adjacent seats at one price, numbered from `first` to `last`, upwards or downwards. */
export type SeatRun = {
  readonly first: number;
  readonly last: number;
  readonly price: Money;
  /** The place of the first seat; the others follow to its right. Absent in a hall without a plan. */
  readonly at?: PlaceInHall | undefined;
};

export type PlaceInHall = {
  readonly section: string;
  readonly row: string;
  /** 1 is the best; equally good rows share a rank. */
  readonly rank: number;
  /** Counted from the left; an aisle takes one place. */
  readonly place: number;
  /** The distance from the middle of the row, in half places: negative on the left, positive on the right. */
  readonly offCentre: number;
  readonly grade: string;
};

/** A fault of a plan, and its path. */
export type PlanFault = { readonly path: readonly (string | number)[]; readonly message: string };

const seatsIn = ({ first, last }: PlannedSeats) => Math.abs(last - first) + 1;

export function seatsOfPlan({ sections }: Pick<SeatPlan, 'sections'>): number {
  return sections
    .flatMap(({ rows }) => rows)
    .flatMap(({ seats }) => seats)
    .reduce((sum, run) => sum + seatsIn(run), 0);
}

/**
 * Returns the faults of a plan that the schema accepts: duplicate names, unknown names, and seats named twice or not at
 * all.
 */
export function faultsOf({ grades, sections, blocked }: SeatPlan): PlanFault[] {
  const faults: PlanFault[] = [];
  const fault = (message: string, ...path: (string | number)[]) => faults.push({ path, message });
  const known = new Set(grades.map(({ grade }) => grade));
  const numbers = new Set<number>();

  if (known.size < grades.length) fault('must not name a grade twice', 'grades');
  if (hasTwins(sections.map(({ section }) => section))) fault('must not name a section twice', 'sections');
  for (const [s, { rows }] of sections.entries()) {
    if (hasTwins(rows.map(({ row }) => row))) fault('must not name a row twice', 'sections', s, 'rows');
    for (const [r, { seats }] of rows.entries()) {
      for (const [index, run] of seats.entries()) {
        const at = ['sections', s, 'rows', r, 'seats', index];
        if (!known.has(run.grade)) fault('must be one of the grades', ...at, 'grade');
        const before = numbers.size;
        for (const number of numbersOf(run)) numbers.add(number);
        if (numbers.size < before + seatsIn(run)) fault('must not name a seat twice', ...at);
      }
    }
  }
  if (hasTwins(blocked)) fault('must not name a seat twice', 'blocked');
  if (blocked.some((number) => !numbers.has(number))) fault('must be seats of the plan', 'blocked');
  return faults;
}

const hasTwins = (names: readonly unknown[]) => new Set(names).size < names.length;

/** From left to right. */
export function numbersOf({ first, last }: Pick<SeatRun, 'first' | 'last'>): number[] {
  const step = Math.sign(last - first);
  return Array.from({ length: Math.abs(last - first) + 1 }, (_, index) => first + index * step);
}

/** The seat runs of a faultless plan, with prices and places. */
export function runsOf({ grades, sections }: SeatPlan): SeatRun[] {
  const prices = new Map(grades.map(({ grade, price }) => [grade, price]));
  const before = rowsBefore(sections);
  return sections.flatMap(({ section, rows }, s) =>
    rows.flatMap(({ row, seats }, r) => {
      const rank = (before[s] ?? 0) + r + 1;
      const starts = startsOf(seats);
      const width = (starts.at(-1) ?? 0) + seatsIn(seats.at(-1) ?? { first: 0, last: 0, grade: '' }) - 1;
      return seats.map(({ first, last, grade }, index) => {
        const place = starts[index] ?? 0;
        const at = { section, row, rank, place, offCentre: offCentre(place, width), grade };
        return { first, last, price: prices.get(grade) ?? 0, at };
      });
    }),
  );
}

/** The place at which each run of a row starts. */
function startsOf(seats: readonly PlannedSeats[]): number[] {
  let next = 1;
  return seats.map((run, index) => {
    const start = next + (run.aisle === true && index > 0 ? 1 : 0);
    next = start + seatsIn(run);
    return start;
  });
}

/** Counts the rows that are better than the first row of each section: the rows of all better ranks. */
function rowsBefore(sections: readonly PlannedSection[]): number[] {
  const ranks = sections.map(({ rank }, index) => rank ?? index + 1);
  const deepest = new Map<number, number>();
  for (const [index, { rows }] of sections.entries()) {
    const rank = ranks[index] ?? 0;
    deepest.set(rank, Math.max(deepest.get(rank) ?? 0, rows.length));
  }
  return ranks.map((rank) => [...deepest].reduce((sum, [other, rows]) => (other < rank ? sum + rows : sum), 0));
}

/** For a place in a row of `width` places. */
export const offCentre = (place: number, width: number) => 2 * place - (width + 1);
