import type { PlaceInHall } from '#domain/catalog/seat-plan.ts';
import type { IdempotencyKey } from '#domain/idempotency.ts';

/** Asks for adjacent seats, the best of the hall, or of one section or grade. */
export type SeatWish = {
  readonly quantity: number;
  readonly section?: string | undefined;
  readonly grade?: string | undefined;
};

/** A free seat and its place. */
export type FreeSeat = Omit<PlaceInHall, 'grade'> & {
  readonly seatNumber: number;
  /** Null in a hall without a plan. */
  readonly grade: string | null;
};

/** What happens to a hold that would leave an orphan seat that another choice would avoid. */
export const orphanSeatsPolicies = ['off', 'warn', 'enforce'] as const;
export type OrphanSeats = (typeof orphanSeatsPolicies)[number];

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
 * held. Stops after the rank that completes `enough` blocks.
 */
export function bestBlocks(
  free: readonly FreeSeat[],
  wish: SeatWish,
  orphanSeats: OrphanSeats = 'off',
  enough = Number.POSITIVE_INFINITY,
): Block[] {
  const ranks = [...Map.groupBy(free, ({ rank }) => rank)].sort(([a], [b]) => a - b);
  const blocks: Block[] = [];
  for (const [, seats] of ranks) {
    if (blocks.length >= enough) break;
    const found = runsOfNeighbours(seats).flatMap((run) => blocksIn(run, wish, orphanSeats === 'enforce'));
    blocks.push(...found.sort((a, b) => compareQuality(a, b) || first(a) - first(b)));
  }
  return blocks;
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

/** Limits the blocks to rank: more than concurrent clients ever try, overlapping ones included. */
const BLOCKS_ENOUGH = 2_000;

const chosen = new WeakMap<readonly FreeSeat[], Map<string, readonly Block[]>>();

/**
 * The best blocks to choose from. All clients of one tick get the same list of free seats, so the blocks are computed
 * once per wish.
 */
export function blocksFor(free: readonly FreeSeat[], wish: SeatWish, orphanSeats: OrphanSeats): readonly Block[] {
  const ofList = chosen.get(free) ?? new Map<string, readonly Block[]>();
  chosen.set(free, ofList);
  const key = JSON.stringify([wish.quantity, wish.section, wish.grade, orphanSeats]);
  const blocks = ofList.get(key) ?? bestBlocks(free, wish, orphanSeats, BLOCKS_ENOUGH);
  ofList.set(key, blocks);
  return blocks;
}

/** Widens the choice by this factor each time that a faster command took the seats. */
const WIDENING = 4;
const TRIES_MAX = 4;

/**
 * The blocks to try, one after the other: the best first, or one of several equally good ones. Each lost block means a
 * crowd, and widens the choice of the next. So a single client gets the best block, and a crowd does not meet again at
 * the second best. The blocks do not overlap.
 */
export function blocksToTry(blocks: readonly Block[], spread: number): readonly (readonly number[])[] {
  const [best] = blocks;
  if (best === undefined) return [];
  const equals = blocks.findIndex((block) => compareQuality(block, best) > 0);
  const widths = Array.from({ length: TRIES_MAX - 1 }, (_, lost) => WIDENING ** (lost + 1));
  const apart = disjoint(blocks, equals === -1 ? blocks.length : equals, widths);

  const tries: (readonly number[])[] = [];
  for (const [lost, choice] of apart.entries()) {
    const picked = choice[mixed(spread, lost) % choice.length];
    if (picked !== undefined) tries.push(picked.seatNumbers);
  }
  return tries;
}

/** The equally good blocks at the head, then as many more as each width says. No two overlap. */
function disjoint(blocks: readonly Block[], equals: number, widths: readonly number[]): Block[][] {
  const seen = new Set<number>();
  const choices: Block[][] = [[]];
  for (const [index, block] of blocks.entries()) {
    if (block.seatNumbers.some((number) => seen.has(number))) continue;
    const isEqual = index < equals;
    const current = choices.at(-1);
    const isFull = !isEqual && (choices.length === 1 || current?.length === widths[choices.length - 2]);
    if (isFull && choices.length > widths.length) break;
    for (const number of block.seatNumbers) seen.add(number);
    if (isFull) choices.push([block]);
    else current?.push(block);
  }
  return choices;
}

/** A number that is stable for a command, and spreads commands over equal blocks. */
export function spreadOf({ userId, key }: IdempotencyKey): number {
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (const message of `${userId} ${key}`) hash = Math.imul(hash ^ (message.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}

/** Another number after each loss. */
function mixed(spread: number, lost: number): number {
  const odd = Math.imul(spread ^ (lost * 0x9e3779b9), 0x85ebca6b);
  return Math.imul(odd ^ (odd >>> 13), 0xc2b2ae35) >>> 0;
}
