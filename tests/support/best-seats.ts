import type { OrphanSeats, SeatWish } from '#domain/booking/best-seats.ts';
import type { PlaceInHall } from '#domain/catalog/seat-plan.ts';

// The rules for the best seats and for orphan seats in a second form, for the fakes, and to compare the SQL functions with.

/** A free seat and its place. */
export type FreeSeat = Omit<PlaceInHall, 'grade'> & {
  readonly seatNumber: number;
  /** Null in a hall without a plan. */
  readonly grade: string | null;
};

/** Adjacent free seats that fulfil a wish, and how good they are: in each figure, smaller is better. */
export type Block = {
  /** Ascending. */
  readonly seatNumbers: readonly number[];
  /** The rank of the row. */
  readonly rank: number;
  /** 1 if it leaves an orphan seat beside it. */
  readonly orphans: 0 | 1;
  /** 1 if groups of the same size could not fill the run to its left. Blocks laid side by side leave no gaps. */
  readonly ragged: 0 | 1;
  /** The distance of its middle from the middle of the row, in half places. */
  readonly offCentre: number;
};

/**
 * Returns the blocks that fulfil a wish, best first: by row, then without orphan seats, then without a gap that groups
 * of this size could not fill, then by distance from the middle. If orphan seats are forbidden, only blocks that may be
 * held.
 */
export function bestBlocks(free: readonly FreeSeat[], wish: SeatWish, orphanSeats: OrphanSeats = 'off'): Block[] {
  const blocks = runsOfNeighbours(free).flatMap((run) => blocksIn(run, wish, orphanSeats === 'enforce'));
  return blocks.sort((a, b) => compareQuality(a, b) || first(a) - first(b));
}

const first = ({ seatNumbers }: Block) => seatNumbers[0] ?? 0;

function compareQuality(a: Block, b: Block): number {
  return a.rank - b.rank || a.orphans - b.orphans || a.ragged - b.ragged || a.offCentre - b.offCentre;
}

function blocksIn(run: readonly FreeSeat[], { quantity, section, grade }: SeatWish, enforced: boolean): Block[] {
  const fits = (seat: FreeSeat) =>
    (section === undefined || seat.section === section) && (grade === undefined || seat.grade === grade);
  const blocks: Block[] = [];
  for (let left = 0; left + quantity <= run.length; left++) {
    const seats = run.slice(left, left + quantity);
    if (!seats.every(fits)) continue;
    const rest = run.length - quantity;
    const orphans = left === 1 || rest - left === 1;
    if (enforced && orphans && rest !== 1) continue;
    blocks.push({
      seatNumbers: seats.map(({ seatNumber }) => seatNumber).sort((a, b) => a - b),
      rank: seats[0]?.rank ?? 0,
      orphans: orphans ? 1 : 0,
      ragged: left % quantity === 0 ? 0 : 1,
      offCentre: Math.abs((seats[0]?.offCentre ?? 0) + (seats.at(-1)?.offCentre ?? 0)),
    });
  }
  return blocks;
}

/** Adjacent free seats without an aisle between them, from left to right. */
function runsOfNeighbours(free: readonly FreeSeat[]): FreeSeat[][] {
  const rows = Map.groupBy(free, ({ section, row }) => JSON.stringify([section, row]));
  return [...rows.values()].flatMap((row) => {
    const runs: FreeSeat[][] = [];
    for (const seat of row.sort((a, b) => a.place - b.place)) {
      const run = runs.at(-1);
      if (run?.at(-1)?.place === seat.place - 1) run.push(seat);
      else runs.push([seat]);
    }
    return runs;
  });
}

/**
 * The orphan seats that a hold of these seats would leave and another choice in the same run would avoid. A run with one
 * seat more than wanted has no better choice.
 */
export function orphanSeatsOf(free: readonly FreeSeat[], seatNumbers: readonly number[]): number[] {
  const chosen = new Set(seatNumbers);
  const orphanSeats = runsOfNeighbours(free).flatMap((run) => {
    const taken = run.map(({ seatNumber }) => chosen.has(seatNumber));
    const left = taken.filter((isTaken) => !isTaken).length;
    if (left === run.length || left === 1) return [];
    return run.filter((_, at) => !taken[at] && (taken[at - 1] ?? true) && (taken[at + 1] ?? true));
  });
  return orphanSeats.map(({ seatNumber }) => seatNumber).sort((a, b) => a - b);
}
