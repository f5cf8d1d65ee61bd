import { type NumberSet, numberSet } from './number-set.ts';

/** Where a line was at some moment, as an instance wrote it down for all: by Redis's clock, in milliseconds since 1970. */
type Tick = { readonly at: number; readonly frontier: number; readonly endedBytes: number };

/**
 * Where a line was a moment ago, and the same moment on every instance: who asks one instance after the other must not be
 * told a position that rises because the second had looked at the line a little earlier.
 *
 * A few times a second whoever looks first writes down where the line is. Each position is told by the newest of these
 * moments that is old enough for every instance to know it. When that is is Redis's clock to say: what it showed lies between
 * asking and being answered, so the quickest questions tell how far it is ahead of the process' own, to within half of
 * what they took. Instances differ by less than it takes to ask one after the other.
 */
export type LineTicks = {
  /** What a survey brought: Redis's clock, when it was asked for, by the process' own, and the moments written down. */
  learn(now: number, askedAt: number, ticks: string): void;
  /** A number that was read from the log of the places that are over. */
  ended(number: number): void;
  /** The log begins anew, in another order; what is known of it stays. */
  reread(): void;
  /** Whether it is known where the line was, at the moment that all tell of. */
  isKnown(): boolean;
  /** How many stood before this number at that moment, and itself; undefined while it is not known. */
  positionOf(number: number): number | undefined;
};

/** So often it is written down where a line is, at most. */
export const TICK_MS = 100;
/** Enough to reach back to the oldest that may be told. */
export const TICKS_MAX = 12;
/** Old enough for every instance to have looked since, a busy one too. */
const SETTLED_MS = 800;
/** Nothing older is told. */
const STALE_MS = 1_000;
/** For so long the quickest questions count: clocks drift. */
const OFFSET_KEPT_MS = 10_000;
/** What Redis says to be now may be so much later. */
const CLOCK_STEP_MS = 1;
const NUMBER_BYTES = 4;

type Offset = { readonly least: number; readonly most: number };

const ANY_OFFSET: Offset = { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };

/** What both allow. */
function within(a: Offset, b: Offset): Offset {
  return { least: Math.max(a.least, b.least), most: Math.min(a.most, b.most) };
}

export function lineTicks(): LineTicks {
  let ticks: readonly Tick[] = [];
  let knownUntil = 0;
  /** Of the newest moment that was told of: as the clock is known better, it may seem to go back a little. */
  let toldAt = 0;
  /** How far Redis's clock is ahead of ours, at least and at most, as seen in this period and in the one before. */
  let offset = ANY_OFFSET;
  let offsetBefore = ANY_OFFSET;
  let offsetSince = 0;
  /** The places that were over at the moment told of, and what was read of the log beyond that. */
  const settled: NumberSet = numberSet();
  let settledBytes = 0;
  let pending: number[] = [];

  function now(): number {
    const both = within(offset, offsetBefore);
    // A clock that was set meanwhile agrees with this period only.
    const { least, most } = both.least <= both.most ? both : offset;
    return performance.now() + (least + most) / 2;
  }

  /** The newest moment that all know of; if there is none yet, the oldest that is not too old. */
  function current(): Tick | undefined {
    const time = now();
    if (knownUntil < time - SETTLED_MS + TICK_MS) return undefined;
    const read = settledBytes + pending.length * NUMBER_BYTES;
    const recent = ticks.filter(({ at, endedBytes }) => at > time - STALE_MS && endedBytes <= read);
    const settledAt = Math.max(toldAt, time - SETTLED_MS);
    return recent.find(({ at }) => at <= settledAt) ?? recent.at(-1);
  }

  function settle({ endedBytes }: Tick): void {
    const count = (endedBytes - settledBytes) / NUMBER_BYTES;
    if (count <= 0) return;
    for (const number of pending.splice(0, count)) settled.add(number);
    settledBytes = endedBytes;
  }

  return {
    learn(redisNow, askedAt, written) {
      const answeredAt = performance.now();
      if (answeredAt - offsetSince > OFFSET_KEPT_MS) {
        offsetSince = answeredAt;
        offsetBefore = offset;
        offset = ANY_OFFSET;
      }
      const seen = { least: redisNow - answeredAt, most: redisNow + CLOCK_STEP_MS - askedAt };
      const narrowed = within(offset, seen);
      offset = narrowed.least <= narrowed.most ? narrowed : seen;
      knownUntil = redisNow;
      ticks = written.split(' ').map((tick) => {
        const [at = 0, frontier = 1, endedBytes = 0] = tick.split(':').map(Number);
        return { at, frontier, endedBytes };
      });
    },
    ended: (number) => pending.push(number),
    reread() {
      for (const number of pending) settled.add(number);
      pending = [];
      settledBytes = 0;
    },
    isKnown: () => current() !== undefined,
    positionOf(number) {
      const tick = current();
      if (tick === undefined) return undefined;
      settle(tick);
      toldAt = Math.max(toldAt, tick.at);
      const { frontier } = tick;
      return Math.max(1, number - frontier + 1 - settled.countBetween(frontier, number));
    },
  };
}
