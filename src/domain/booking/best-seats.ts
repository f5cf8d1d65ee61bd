import { offCentre, type PlaceInHall } from '#domain/catalog/seat-plan.ts';
import type { RequestKey } from '#domain/idempotency.ts';

/** Seats side by side, wherever they are best; in one section or at one price grade if that is said. */
export type SeatWish = {
  readonly quantity: number;
  readonly section?: string | undefined;
  readonly grade?: string | undefined;
};

/** A seat that can be had, and where it is. */
export type FreeSeat = Omit<PlaceInHall, 'grade'> & {
  readonly seatNumber: number;
  /** Null in a hall without a plan. */
  readonly grade: string | null;
};

/** What becomes of a hold that would leave a single free seat between seats that are taken, where another choice would not. */
export const strandedSeatsPolicies = ['off', 'warn', 'enforce'] as const;
export type StrandedSeats = (typeof strandedSeatsPolicies)[number];

/** A hall without a plan is one section of rows as wide as this. */
const UNPLANNED_ROW_SEATS = 10;

export function placeWithoutPlan(seatNumber: number): Omit<FreeSeat, 'seatNumber'> {
  const rank = Math.ceil(seatNumber / UNPLANNED_ROW_SEATS);
  const place = ((seatNumber - 1) % UNPLANNED_ROW_SEATS) + 1;
  return { section: '', row: String(rank), rank, place, offCentre: offCentre(place, UNPLANNED_ROW_SEATS), grade: null };
}

/** Free seats side by side that fulfil a wish, and how good they are: of two, the smaller number is better. */
export type Block = {
  /** Ascending. */
  readonly seatNumbers: readonly number[];
  /** Of the row. */
  readonly rank: number;
  /** 1 where it leaves a single free seat beside it. */
  readonly strands: 0 | 1;
  /** 1 where groups of the same size could not fill the run to its left: laid side by side they leave no gaps. */
  readonly ragged: 0 | 1;
  /** How far its middle is from that of the row, in half places. */
  readonly offCentre: number;
};

/**
 * What fulfils a wish, the best first: front rows before those behind, in a row first what strands no seat, then what
 * leaves no gap that groups of this size could not fill, then the middle. Where stranding is forbidden, only what may be
 * held. Rows behind those that have `enough` are not looked at.
 */
export function bestBlocks(
  free: readonly FreeSeat[],
  wish: SeatWish,
  stranded: StrandedSeats = 'off',
  enough = Number.POSITIVE_INFINITY,
): Block[] {
  const ranks = [...Map.groupBy(free, ({ rank }) => rank)].sort(([a], [b]) => a - b);
  const blocks: Block[] = [];
  for (const [, seats] of ranks) {
    if (blocks.length >= enough) break;
    const found = runsOfNeighbours(seats).flatMap((run) => blocksIn(run, wish, stranded === 'enforce'));
    blocks.push(...found.sort((a, b) => compareQuality(a, b) || first(a) - first(b)));
  }
  return blocks;
}

const first = ({ seatNumbers }: Block) => seatNumbers[0] ?? 0;

function compareQuality(a: Block, b: Block): number {
  return a.rank - b.rank || a.strands - b.strands || a.ragged - b.ragged || a.offCentre - b.offCentre;
}

function blocksIn(run: readonly FreeSeat[], { quantity, section, grade }: SeatWish, enforced: boolean): Block[] {
  const fits = (seat: FreeSeat) =>
    (section === undefined || seat.section === section) && (grade === undefined || seat.grade === grade);
  const blocks: Block[] = [];
  for (let left = 0; left + quantity <= run.length; left++) {
    const seats = run.slice(left, left + quantity);
    if (!seats.every(fits)) continue;
    const rest = run.length - quantity;
    const strands = left === 1 || rest - left === 1;
    if (enforced && strands && rest !== 1) continue;
    blocks.push({
      seatNumbers: seats.map(({ seatNumber }) => seatNumber).sort((a, b) => a - b),
      rank: seats[0]?.rank ?? 0,
      strands: strands ? 1 : 0,
      ragged: left % quantity === 0 ? 0 : 1,
      offCentre: Math.abs((seats[0]?.offCentre ?? 0) + (seats.at(-1)?.offCentre ?? 0)),
    });
  }
  return blocks;
}

/** Free seats that nothing parts, from left to right. */
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
 * The free seats that taking these would leave single, though another choice in the same run would not. That a run has
 * one seat more than is taken of it is nobody's fault.
 */
export function strandedBy(free: readonly FreeSeat[], seatNumbers: readonly number[]): number[] {
  const chosen = new Set(seatNumbers);
  const stranded = runsOfNeighbours(free).flatMap((run) => {
    const taken = run.map(({ seatNumber }) => chosen.has(seatNumber));
    const left = taken.filter((isTaken) => !isTaken).length;
    if (left === run.length || left === 1) return [];
    return run.filter((_, at) => !taken[at] && (taken[at - 1] ?? true) && (taken[at + 1] ?? true));
  });
  return stranded.map(({ seatNumber }) => seatNumber).sort((a, b) => a - b);
}

/** As many as contenders could ever look among, overlapping ones included. */
const BLOCKS_ENOUGH = 2_000;

const chosen = new WeakMap<readonly FreeSeat[], Map<string, readonly Block[]>>();

/**
 * The best blocks for contenders to choose from. Everybody who asks at the same time is given the same list of free seats
 * by the store: what is best of it is worked out once for each wish.
 */
export function blocksFor(free: readonly FreeSeat[], wish: SeatWish, stranded: StrandedSeats): readonly Block[] {
  const ofList = chosen.get(free) ?? new Map<string, readonly Block[]>();
  chosen.set(free, ofList);
  const key = JSON.stringify([wish.quantity, wish.section, wish.grade, stranded]);
  const blocks = ofList.get(key) ?? bestBlocks(free, wish, stranded, BLOCKS_ENOUGH);
  ofList.set(key, blocks);
  return blocks;
}

/** Each time that somebody else was faster, among how many more blocks to look for the next. */
const WIDENING = 4;
const TRIES_MAX = 4;

/**
 * The blocks that a contender tries, one after the other: the best, or one of several equally good; when that is lost,
 * there is a crowd, and the more often something is lost the wider the choice becomes. So somebody alone gets the best
 * there is, and a crowd does not meet again at the second best. No two of them overlap.
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

/** The equally good ones at the head, then as many more as each width says; none has a seat of another. */
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

/** A number of this request's own, the same each time: by it contenders spread. */
export function spreadOf({ userId, key }: RequestKey): number {
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (const message of `${userId} ${key}`) hash = Math.imul(hash ^ (message.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}

/** Another number each time that something was lost. */
function mixed(spread: number, lost: number): number {
  const odd = Math.imul(spread ^ (lost * 0x9e3779b9), 0x85ebca6b);
  return Math.imul(odd ^ (odd >>> 13), 0xc2b2ae35) >>> 0;
}
