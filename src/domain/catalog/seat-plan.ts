import type { Money } from '#domain/wallet/money.ts';

/** A hall as its operator draws it: where each seat is, and what it costs. */
export type SeatPlan = {
  /** The operator's own count of the plan's editions. */
  readonly version: number;
  readonly grades: readonly { readonly grade: string; readonly price: Money }[];
  /** The best first, unless their ranks say otherwise. */
  readonly sections: readonly PlannedSection[];
  /** Seats that are not for sale for now. */
  readonly blocked: readonly number[];
};

export type PlannedSection = {
  readonly section: string;
  /** 1 is the best. Sections of the same rank are equally good, row by row. Left out: its place in the list. */
  readonly rank?: number | undefined;
  /** The front row first. */
  readonly rows: readonly PlannedRow[];
};

export type PlannedRow = {
  readonly row: string;
  /** From left to right. */
  readonly seats: readonly PlannedSeats[];
};

/** Neighbours, numbered from `first` to `last`, upwards or downwards. */
export type PlannedSeats = {
  readonly first: number;
  readonly last: number;
  readonly grade: string;
  /** Whether an aisle parts them from the seats to their left. */
  readonly aisle?: boolean | undefined;
};

/** A plan as it is kept: whole, as it was given, and by its hash never anything else. */
export type KeptPlan = { readonly plan: SeatPlan; readonly sha256: string };

/** Neighbours at one price, numbered from `first` to `last`, upwards or downwards. */
export type SeatRun = {
  readonly first: number;
  readonly last: number;
  readonly price: Money;
  /** Where the first of them is, and the others to its right; absent in a hall without a plan. */
  readonly at?: PlaceInHall | undefined;
};

export type PlaceInHall = {
  readonly section: string;
  readonly row: string;
  /** How good the row is: 1 is the best, and equally good rows have the same. */
  readonly rank: number;
  /** Counted from the left; an aisle takes one place. */
  readonly place: number;
  /** How far from the middle of the row, in half places: negative on the left, positive on the right. */
  readonly offCentre: number;
  readonly grade: string;
};

/** A plan's fault, and where it is. */
export type PlanFault = { readonly path: readonly (string | number)[]; readonly message: string };

const seatsIn = ({ first, last }: PlannedSeats) => Math.abs(last - first) + 1;

export function seatsOfPlan({ sections }: Pick<SeatPlan, 'sections'>): number {
  return sections
    .flatMap(({ rows }) => rows)
    .flatMap(({ seats }) => seats)
    .reduce((sum, run) => sum + seatsIn(run), 0);
}

/** What is wrong with a plan whose every part is well-formed: names used twice, names not known, seats named twice or not at all. */
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

/** In the order in which they sit, from left to right. */
export function numbersOf({ first, last }: Pick<SeatRun, 'first' | 'last'>): number[] {
  const step = Math.sign(last - first);
  return Array.from({ length: Math.abs(last - first) + 1 }, (_, index) => first + index * step);
}

/** The seats of a plan without a fault, each run with its price and place. */
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

/** How many rows are better than the first row of each section: all of those that rank before it. */
function rowsBefore(sections: readonly PlannedSection[]): number[] {
  const ranks = sections.map(({ rank }, index) => rank ?? index + 1);
  const deepest = new Map<number, number>();
  for (const [index, { rows }] of sections.entries()) {
    const rank = ranks[index] ?? 0;
    deepest.set(rank, Math.max(deepest.get(rank) ?? 0, rows.length));
  }
  return ranks.map((rank) => [...deepest].reduce((sum, [other, rows]) => (other < rank ? sum + rows : sum), 0));
}

/** Of a place in a row that is `width` places wide. */
export const offCentre = (place: number, width: number) => 2 * place - (width + 1);
