import { guarded } from '#adapters/redis/client/failures.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { lineKey, lineKeys } from '#adapters/redis/keys.ts';
import { type DrawState, run, scripts } from '#adapters/redis/scripts.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { DrawOrder } from '#domain/queue/lottery.ts';
import type { LineFigures } from '#ports/queue/queue.ts';
import type { Draw } from '#ports/queue/queue-record.ts';
import { drawOrder } from './draw-order.ts';
import { lineTicks, TICK_MS, TICKS_MAX } from './line-ticks.ts';
import { type NumberSet, numberSet } from './number-set.ts';
import { packNumbers, unpackNumbers } from './packed-numbers.ts';

/** The line as one survey found it. */
export type Survey = {
  readonly figures: LineFigures;
  readonly epoch: string;
  readonly state: DrawState;
  /** When the line was last taken up after a loss, by the clock of Redis; empty when it never was. */
  readonly rebuiltAt: string;
  /** When it was asked for, by the process' own clock. */
  readonly asOf: number;
};

/**
 * What an instance knows of a line: its figures, refreshed a few times a second, and the numbers of all places that are
 * over, read from their log as it grows. That is enough to tell where anybody stands: a place has as many before it as
 * there are numbers from the front of the line to its own, without those that are over.
 */
export type LineView = {
  /** Surveys the line anew. Who asks while one is under way gets the next. */
  refresh(): Promise<Survey>;
  /** The last survey, if it is fresh. */
  fresh(): Survey | undefined;
  /** Looks again if this draw is not known. */
  knowDraw(count: number): Promise<void>;
  /** Knows this draw from now on. */
  learnDraw(draw: Draw): Promise<void>;
  /**
   * Takes in where the front was and how long the log of the places that are over, as a script has told: reads it up to there,
   * and looks again unless positions can be told as every instance tells them.
   */
  hear(frontier: number, endedBytes: number): Promise<void>;
  /** All keys of the line, as its scripts take them. */
  readonly keys: readonly string[];
  readonly ended: NumberSet;
  /** How much of that log was read. */
  readonly endedBytes: () => number;
  /** Of the draw that this instance knows; empty without one, as the scripts take it. */
  readonly drawCount: () => number | '';
  readonly numberOf: (sequence: number) => number;
  readonly sequenceOf: (number: number) => number;
  /** The position to tell whoever has this number: exact near the front, which is where it is now; else as of a moment ago. */
  readonly positionOf: (number: number, frontier: number) => number;
  /** The position to tell without looking at the front; undefined near it, and while it is not known. */
  readonly farPositionOf: (number: number) => number | undefined;
  /** A number that was drawn in the line of this name, as this instance has seen. */
  noteDrawn(epoch: string, number: number): void;
  /** This number was found in the line. */
  confirm(number: number): void;
  /** Whether nothing was lost since this number was found: a line that was taken up after a loss may lack it. */
  isConfirmed(number: number): boolean;
  /** Whether the line was surveyed since it has this name. */
  readonly isSurveyed: () => boolean;
  /** What a line that was lost is opened with. The epoch is empty as long as the line is not known. */
  readonly known: () => { readonly epoch: string; readonly drawn: number; readonly frontier: number };
};

/** Whoever is nearer to the front than that is looked up. The same everywhere: else who is told exactly here is not there. */
const NEAR_POSITIONS = 200;
/** A process that is too busy to look in time, so often in a row, tells what it has. */
const KEEP_UP_TRIES_MAX = 3;
/** Older than that nothing is told from memory. */
const FRESH_MS = 1_000;
/** Read at once, of the log of places that are over: a quarter of a million. */
const CHUNK_BYTES = 1_048_576;
/** How long somebody whose number was passed in a line that had lost it is let back in. */
export const LATE_MS = 600_000;

export function lineView(
  redis: RedisClient,
  concertId: ConcertId,
  open: () => Promise<void>,
  onRefresh: (survey: Survey) => void,
): LineView {
  const keys = lineKeys(concertId);
  let survey: Survey | undefined;
  let epoch = '';
  let drawn = 0;
  let front = 1;
  let ended = numberSet();
  /** Of those, which are in the log as it is now. */
  let logged = numberSet();
  /** How long that log was at the last survey, and how much of it was read. */
  let loggedBytes = 0;
  let endedBytes = 0;
  let ticks = lineTicks();
  let lots: DrawOrder | undefined;
  let confirmed = numberSet();
  let running: Promise<Survey> | undefined;
  let next: Promise<Survey> | undefined;

  function seen(name: string, number: number): void {
    if (name !== epoch) {
      epoch = name;
      drawn = 0;
      front = 1;
      survey = undefined;
      forgetEnded();
    }
    drawn = Math.max(drawn, number);
  }

  function forgetEnded(): void {
    ended = numberSet();
    logged = numberSet();
    loggedBytes = 0;
    endedBytes = 0;
    ticks = lineTicks();
  }

  function numberOf(sequence: number): number {
    return lots?.order[sequence - 1] ?? sequence;
  }

  /** It is another log, in another order. What is known from the old one stays true. */
  function rereadEnded(): void {
    logged = numberSet();
    loggedBytes = 0;
    endedBytes = 0;
    ticks.reread();
  }

  function farPositionOf(number: number): number | undefined {
    const position = ticks.positionOf(number);
    return position !== undefined && position > NEAR_POSITIONS ? position : undefined;
  }

  async function learnDraw({ count, seed }: Draw): Promise<void> {
    const isKnown = () => lots?.order.length === count;
    const drawn = isKnown() ? undefined : await drawOrder(Buffer.from(seed, 'hex'), count);
    // Others may have learnt it meanwhile.
    if (drawn === undefined || isKnown()) return;
    lots = drawn;
    // From here on places are known by other numbers, those that are over as well.
    const over = [...ended];
    forgetEnded();
    for (const number of over) ended.add(numberOf(number));
    confirmed = numberSet();
  }

  async function ask(): Promise<Survey> {
    const asOf = performance.now();
    const reply = await run(redis, scripts.survey, keys, epoch, drawn, LATE_MS, TICK_MS, TICKS_MAX, front);
    if (reply.length === 1) {
      await open();
      return ask();
    }
    const [name, frontier, redisDrawn, waiting, active, absent, turnover, registered, ...rest] = reply;
    const [bytes, rebuildingMs, rebuiltAt, state, count, seed, now, written] = rest;
    const isPlaced = state === 'placing' || state === 'drawn';
    seen(name, redisDrawn);
    ticks.learn(now, asOf, written);
    const wasLost = survey !== undefined && rebuiltAt !== survey.rebuiltAt;
    if (isPlaced) await learnDraw({ count, seed });
    // A log that is shorter than at the last survey is another one. Meanwhile more may have been read than it had then.
    if (wasLost || bytes < loggedBytes) rereadEnded();
    if (wasLost) confirmed = numberSet();
    loggedBytes = bytes;
    await readEnded(bytes);
    if (wasLost) await restoreEnded();
    noteFrontier(frontier);
    const figures = {
      frontier,
      drawn: redisDrawn,
      waiting,
      active,
      absent,
      turnover: Number(turnover),
      registered,
      ...(rebuildingMs > 0 ? { rebuildingMs } : {}),
    };
    survey = { figures, epoch, state, rebuiltAt, asOf };
    onRefresh(survey);
    return survey;
  }

  /** Others may know of less that is over than this instance does: the log that it was read from is lost. */
  async function restoreEnded(): Promise<void> {
    const missing = [...ended].filter((number) => !logged.has(number));
    if (missing.length > 0) await run(redis, scripts.end, keys, epoch, packNumbers(missing));
  }

  function noteFrontier(told: number): void {
    front = Math.max(front, told);
  }

  function refresh(): Promise<Survey> {
    if (next !== undefined) return next;
    if (running === undefined) return start();
    next = running.then(start, start);
    return next;
  }

  function start(): Promise<Survey> {
    next = undefined;
    const asked = ask().finally(() => {
      if (running === asked) running = undefined;
    });
    running = asked;
    return asked;
  }

  async function readEnded(upTo: number): Promise<void> {
    while (endedBytes < upTo) {
      const [log, from] = [logged, endedBytes];
      const chunk = await guarded(() =>
        redis.getrangeBuffer(lineKey(concertId, 'ended'), from, from + CHUNK_BYTES - 1),
      );
      if (chunk.length === 0) return;
      // Others may have read on meanwhile, or found that it is another log.
      if (logged !== log || endedBytes !== from) continue;
      endedBytes += chunk.length;
      for (const number of unpackNumbers(chunk)) {
        ended.add(number);
        logged.add(number);
        ticks.ended(number);
      }
    }
  }

  return {
    keys,
    refresh,
    fresh: () => (survey !== undefined && performance.now() - survey.asOf < FRESH_MS ? survey : undefined),
    async knowDraw(count) {
      if (lots?.order.length !== count) await refresh();
    },
    learnDraw,
    async hear(frontier, bytes) {
      noteFrontier(frontier);
      await readEnded(bytes);
      for (let tries = 0; tries < KEEP_UP_TRIES_MAX && !ticks.isKnown(); tries++) await refresh();
    },
    get ended() {
      return ended;
    },
    endedBytes: () => endedBytes,
    drawCount: () => lots?.order.length ?? '',
    numberOf,
    sequenceOf: (number) => lots?.registered[number - 1] ?? number,
    positionOf: (number, frontier) =>
      farPositionOf(number) ?? Math.max(1, number - frontier + 1 - ended.countBetween(frontier, number)),
    farPositionOf,
    noteDrawn: seen,
    confirm: (number) => confirmed.add(number),
    isConfirmed: (number) => survey?.rebuiltAt === '' || confirmed.has(number),
    isSurveyed: () => survey !== undefined,
    known: () => ({ epoch, drawn, frontier: front }),
  };
}
