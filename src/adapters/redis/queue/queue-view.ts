import { singleFlight } from '#adapters/memory/single-flight.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { queueKeys } from '#adapters/redis/keys.ts';
import { type DrawCount, type DrawState, run, scripts } from '#adapters/redis/scripts.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { DrawOrder } from '#domain/queue/lottery.ts';
import type { QueueFigures } from '#ports/queue/queue.ts';
import type { Draw } from '#ports/queue/queue-records.ts';
import { drawOrder } from './draw-order.ts';
import { type EndedEntries, endedEntries } from './ended-entries.ts';
import { type NumberSet, numberSet } from './number-set.ts';
import { packNumbers } from './packed-numbers.ts';

export type Survey = {
  readonly figures: QueueFigures;
  readonly epoch: string;
  readonly state: DrawState;
  /** When the queue was last rebuilt, by Redis's clock; empty if it never was. */
  readonly rebuiltAt: string;
  /** When it was asked for, by the clock of the process. */
  readonly asOf: number;
};

/**
 * What an instance knows of a queue: its figures, surveyed a few times a second, and the numbers of all ended entries. That
 * gives the position of any entry: the numbers from the head to its own, without those that have ended.
 *
 * A position is as of a moment less than a second before the answer. So it never rises for a client that asks at least a
 * second apart, whichever instances answer.
 */
export type QueueView = {
  readonly keys: readonly string[];
  /** Surveys the queue. */
  refresh(): Promise<Survey>;
  /** The last survey, if it is less than a second old. */
  fresh(): Survey | undefined;
  isSurveyed(): boolean;
  /** Takes in the head and the length of the log of ended entries, as a script replied them. */
  hear(head: number, endedBytes: number): Promise<void>;
  /** Takes in a sequence drawn in the queue with this epoch. */
  noteDrawn(epoch: string, sequence: number): void;
  /** Surveys the queue unless it knows the draw with this many lots. */
  knowDraw(count: number): Promise<void>;
  learnDraw(draw: Draw): Promise<void>;
  drawCount(): DrawCount;
  numberOf(sequence: number): number;
  sequenceOf(number: number): number;
  /** Exact, as of the moment at which the head was read. */
  positionOf(number: number, head: number): number;
  /** From memory; undefined near the head, where a position is looked up. */
  farPositionOf(number: number): number | undefined;
  hasEnded(number: number): boolean;
  endedEntries(): EndedEntries;
  /** A script has found this number in the queue. */
  confirm(number: number): void;
  /** False if the queue was rebuilt since the number was found: it may lack the entry. */
  isConfirmed(number: number): boolean;
  /** What a lost queue is opened with. The epoch is empty as long as none is known. */
  known(): { readonly epoch: string; readonly drawn: number; readonly head: number };
};

/** What is known of the queue with one epoch. */
type Memory = {
  readonly epoch: string;
  drawn: number;
  head: number;
  survey?: Survey;
  lots?: DrawOrder;
  ended: EndedEntries;
  confirmed: NumberSet;
};

/** Entries nearer to the head are looked up: their clients want to know exactly. */
const NEAR_POSITIONS = 200;
const FRESH_MS = 1_000;

export function queueView(
  redis: RedisClient,
  concertId: ConcertId,
  open: () => Promise<void>,
  onSurvey: () => void,
): QueueView {
  const keys = queueKeys(concertId);
  let memory = emptyMemory('');

  function emptyMemory(epoch: string): Memory {
    return { epoch, drawn: 0, head: 1, ended: endedEntries(redis, concertId), confirmed: numberSet() };
  }

  function noteDrawn(epoch: string, sequence: number): void {
    if (epoch !== memory.epoch) memory = emptyMemory(epoch);
    memory.drawn = Math.max(memory.drawn, sequence);
  }

  const knowsDraw = (count: number) => memory.lots?.order.length === count;
  const numberOf = (sequence: number) => memory.lots?.order[sequence - 1] ?? sequence;

  async function learnDraw({ count, seed }: Draw): Promise<void> {
    if (knowsDraw(count)) return;
    const lots = await drawOrder(Buffer.from(seed, 'hex'), count);
    // Another call may have learnt it meanwhile.
    if (knowsDraw(count)) return;
    const { ended } = memory;
    memory.lots = lots;
    // From here on entries are known by other numbers, ended ones as well.
    memory.ended = endedEntries(redis, concertId, Array.from(ended.all(), numberOf));
    memory.confirmed = numberSet();
  }

  async function survey(): Promise<Survey> {
    const asOf = performance.now();
    const { epoch, drawn, head } = memory;
    const reply = await run(redis, scripts.survey, keys, { epochKnown: epoch, drawnKnown: drawn, headKnown: head });
    if (reply.length === 1) {
      await open();
      return survey();
    }
    const [name, headNow, drawnNow, waiting, active, absent, turnover, registered, endedBytes, rebuildingMs] = reply;
    const [rebuiltAt, state, count, seed] = reply.slice(10) as [string, DrawState, number, string];
    noteDrawn(name, drawnNow);
    const wasLost = memory.survey !== undefined && rebuiltAt !== memory.survey.rebuiltAt;
    if (state === 'placing' || state === 'drawn') await learnDraw({ count, seed });
    if (wasLost) memory.confirmed = numberSet();
    await memory.ended.surveyed(endedBytes, wasLost);
    if (wasLost) await restoreEnded();
    memory.head = Math.max(memory.head, headNow);
    const rebuilding = rebuildingMs > 0 ? { rebuildingMs } : {};
    const counts = { waiting, active, absent, registered, turnover: Number(turnover) };
    const figures = { head: headNow, drawn: drawnNow, ...counts, ...rebuilding };
    memory.survey = { figures, epoch: name, state, rebuiltAt, asOf };
    onSurvey();
    return memory.survey;
  }

  /** Other instances may know fewer ended entries: the log was lost. */
  async function restoreEnded(): Promise<void> {
    const missing = memory.ended.missing();
    if (missing.length === 0) return;
    await run(redis, scripts.noteEnded, keys, { epoch: memory.epoch, ended: packNumbers(missing) });
  }

  function positionOf(number: number, head: number): number {
    const from = Math.max(head, memory.head);
    return Math.max(1, number - from + 1 - memory.ended.countBetween(from, number));
  }

  const surveyOnce = singleFlight(survey);
  const refresh = () => surveyOnce(concertId);

  return {
    keys,
    refresh,
    fresh() {
      const last = memory.survey;
      return last !== undefined && performance.now() - last.asOf < FRESH_MS ? last : undefined;
    },
    isSurveyed: () => memory.survey !== undefined,
    async hear(head, endedBytes) {
      memory.head = Math.max(memory.head, head);
      await memory.ended.readUpTo(endedBytes);
    },
    noteDrawn,
    async knowDraw(count) {
      if (!knowsDraw(count)) await refresh();
    },
    learnDraw,
    drawCount: () => memory.lots?.order.length ?? '',
    numberOf,
    sequenceOf: (number) => memory.lots?.registered[number - 1] ?? number,
    positionOf,
    farPositionOf(number) {
      const position = positionOf(number, memory.head);
      return position > NEAR_POSITIONS ? position : undefined;
    },
    hasEnded: (number) => memory.ended.has(number),
    endedEntries: () => memory.ended,
    confirm: (number) => memory.confirmed.add(number),
    isConfirmed: (number) => memory.survey?.rebuiltAt === '' || memory.confirmed.has(number),
    known: () => ({ epoch: memory.epoch, drawn: memory.drawn, head: memory.head }),
  };
}
