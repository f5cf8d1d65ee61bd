import { type NumberSet, numberSet } from './number-set.ts';

/** Where a line was at some moment, as an instance wrote it down for all: by Redis's clock, in milliseconds since 1970. */
type Tick = { readonly at: number; readonly frontier: number; readonly endedBytes: number };

/**
 * Where a line was a moment ago, and the same moment on every instance: who asks one instance after the other must not be
 * told a position that rises because the second had looked at the line a little earlier.
 *
 * A few times a second whoever looks first writes down where the line is. Each position is told by the newest of these
 * moments that is old enough for every instance to know it. When that is is Redis's clock to say; how far it is ahead of the
 * process' own is taken from the quickest answers, so that instances differ by less than a question to one of them takes.
 */
export type LineTicks = {
  /** What a survey brought: the moments written down, by Redis's clock as of the answer. */
  learn(now: number, ticks: string): void;
  /** A number that was read from the log of the places that are over. */
  ended(number: number): void;
  /** The log begins anew, in another order; what is known of it stays. */
  reread(): void;
  /** Whether it is known where the line was, at the moment that all tell of. */
  isKnown(): boolean;
  /** How many stood before this number at that moment, and itself; undefined while it is not known. */
  positionOf(number: number): number | undefined;
};

/** So often it is written down where a line is. */
export const TICK_MS = 200;
/** Enough to reach back to the oldest that may be told. */
export const TICKS_MAX = 8;
/** Old enough for every instance to have looked since, if it looks as often as the settings allow. */
const SETTLED_MS = 3 * TICK_MS;
/** Nothing older is told. */
const STALE_MS = 1_000;
/** For so long the quickest answer counts: clocks drift. */
const OFFSET_KEPT_MS = 10_000;
const NUMBER_BYTES = 4;

export function lineTicks(): LineTicks {
  let ticks: readonly Tick[] = [];
  let knownUntil = 0;
  /** How far Redis's clock is ahead of ours, in this period and the one before. */
  let offsets = { since: 0, now: Number.NEGATIVE_INFINITY, before: Number.NEGATIVE_INFINITY };
  /** The places that were over at the moment told of, and what was read of the log beyond that. */
  const settled: NumberSet = numberSet();
  let settledBytes = 0;
  let pending: number[] = [];

  function now(): number {
    return performance.now() + Math.max(offsets.now, offsets.before);
  }

  /** The newest moment that all know of; if there is none yet, the oldest that is not too old. */
  function current(): Tick | undefined {
    const time = now();
    if (knownUntil < time - SETTLED_MS + TICK_MS) return undefined;
    const recent = ticks.filter(({ at }) => at > time - STALE_MS);
    return recent.find(({ at }) => at <= time - SETTLED_MS) ?? recent.at(-1);
  }

  function settle({ endedBytes }: Tick): void {
    const count = (endedBytes - settledBytes) / NUMBER_BYTES;
    if (count <= 0) return;
    for (const number of pending.splice(0, count)) settled.add(number);
    settledBytes = endedBytes;
  }

  return {
    learn(redisNow, written) {
      const own = performance.now();
      if (own - offsets.since > OFFSET_KEPT_MS) {
        offsets = { since: own, now: Number.NEGATIVE_INFINITY, before: offsets.now };
      }
      offsets.now = Math.max(offsets.now, redisNow - own);
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
      const { frontier } = tick;
      return Math.max(1, number - frontier + 1 - settled.countBetween(frontier, number));
    },
  };
}
