import { singleFlight } from '#adapters/memory/single-flight.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { queueKeys } from '#adapters/redis/keys.ts';
import { type DrawCount, type DrawState, run, scripts } from '#adapters/redis/scripts.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { DrawOrder } from '#domain/queue/lottery.ts';
import type { QueueFigures } from '#ports/queue/queue.ts';
import type { Draw, QueueRecords } from '#ports/queue/queue-records.ts';
import { drawOrder } from './draw-order.ts';
import { type EndedEntries, endedEntries } from './ended-entries.ts';
import { type NumberSet, numberSet } from './number-set.ts';
import { paceOf } from './pace.ts';
import { packNumbers } from './packed-numbers.ts';

export type Rebuild = {
  /** How long a lost queue waits for its entries. */
  readonly rebuildMs: number;
  /** How long of that the instances report what they know, before any client is answered. */
  readonly reportMs: number;
};

export type Survey = {
  readonly figures: QueueFigures;
  readonly epoch: string;
  readonly state: DrawState;
  /** Another one after a loss, and on another server of Redis; empty if there never was one. */
  readonly memoryName: string;
  /** When it was asked for, by the clock of the process. */
  readonly asOf: number;
};

/**
 * What an instance knows of a queue: its figures, surveyed a few times a second, and the numbers of all ended entries. That
 * gives the position of any entry: how many numbers lie from the head to its own, less the ended ones.
 *
 * A position is as of a moment less than a second before the answer. So it never rises for a client that asks at least a
 * second apart, whichever instances answer.
 */
export type QueueView = {
  readonly keys: readonly string[];
  /** Opens the queue, which Redis does not have. */
  open(): Promise<void>;
  /** Surveys the queue. */
  refresh(): Promise<Survey>;
  /** The last survey, if it is less than a second old. */
  fresh(): Survey | undefined;
  isSurveyed(): boolean;
  /** Notes the head and the length of the log of ended entries, as a script replied them. */
  noteHead(head: number, endedBytes: number): Promise<void>;
  /** Notes a sequence drawn in the queue with this epoch. */
  noteDrawn(epoch: string, sequence: number): void;
  /** Makes sure that the draw with this many lots is known. */
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
  /** False if the number was found in an older memory: this one may lack the entry. True if there never was another one. */
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

type ViewedQueue = {
  readonly redis: RedisClient;
  readonly records: QueueRecords;
  readonly concertId: ConcertId;
  readonly rebuild: Rebuild;
  readonly keys: readonly string[];
  memory: Memory;
};

/** Entries nearer to the head are looked up: their clients want to know exactly. */
const NEAR_POSITIONS = 200;
const FRESH_MS = 1_000;

export function queueView(
  redis: RedisClient,
  records: QueueRecords,
  concertId: ConcertId,
  rebuild: Rebuild,
  { open, onSurvey }: { readonly open: () => Promise<void>; readonly onSurvey: () => void },
): QueueView {
  const keys = queueKeys(concertId);
  const queue: ViewedQueue = {
    ...{ redis, records, concertId, rebuild, keys },
    memory: emptyMemory(redis, concertId, ''),
  };
  const surveyOnce = singleFlight(async () => {
    const survey = await surveyQueue(queue, open);
    onSurvey();
    return survey;
  });
  const refresh = () => surveyOnce(concertId);

  return {
    keys,
    open,
    refresh,
    fresh() {
      const { survey } = queue.memory;
      return survey !== undefined && performance.now() - survey.asOf < FRESH_MS ? survey : undefined;
    },
    isSurveyed: () => queue.memory.survey !== undefined,
    noteHead(head, endedBytes) {
      queue.memory.head = Math.max(queue.memory.head, head);
      return queue.memory.ended.readUpTo(endedBytes);
    },
    noteDrawn: (epoch, sequence) => noteDrawn(queue, epoch, sequence),
    async knowDraw(count) {
      if (!knowsDraw(queue, count)) await refresh();
    },
    learnDraw: (draw) => learnDraw(queue, draw),
    drawCount: () => queue.memory.lots?.order.length ?? '',
    numberOf: (sequence) => numberOf(queue, sequence),
    sequenceOf: (number) => queue.memory.lots?.registered[number - 1] ?? number,
    positionOf: (number, head) => positionOf(queue, number, head),
    farPositionOf(number) {
      const position = positionOf(queue, number, queue.memory.head);
      return position > NEAR_POSITIONS ? position : undefined;
    },
    hasEnded: (number) => queue.memory.ended.has(number),
    endedEntries: () => queue.memory.ended,
    confirm: (number) => queue.memory.confirmed.add(number),
    isConfirmed: (number) => queue.memory.survey?.memoryName === '' || queue.memory.confirmed.has(number),
    known() {
      const { epoch, drawn, head } = queue.memory;
      return { epoch, drawn, head };
    },
  };
}

function emptyMemory(redis: RedisClient, concertId: ConcertId, epoch: string): Memory {
  return { epoch, drawn: 0, head: 1, ended: endedEntries(redis, concertId), confirmed: numberSet() };
}

function noteDrawn(queue: ViewedQueue, epoch: string, sequence: number): void {
  if (epoch !== queue.memory.epoch) queue.memory = emptyMemory(queue.redis, queue.concertId, epoch);
  queue.memory.drawn = Math.max(queue.memory.drawn, sequence);
}

const knowsDraw = ({ memory }: ViewedQueue, count: number) => memory.lots?.order.length === count;
const numberOf = ({ memory }: ViewedQueue, sequence: number) => memory.lots?.order[sequence - 1] ?? sequence;

function positionOf({ memory }: ViewedQueue, number: number, head: number): number {
  const from = Math.max(head, memory.head);
  return Math.max(1, number - from + 1 - memory.ended.countBetween(from, number));
}

async function learnDraw(queue: ViewedQueue, { count, seed }: Draw): Promise<void> {
  if (knowsDraw(queue, count)) return;
  const lots = await drawOrder(Buffer.from(seed, 'hex'), count);
  // Another call may have learnt it meanwhile.
  if (knowsDraw(queue, count)) return;
  const { memory, redis, concertId } = queue;
  memory.lots = lots;
  // Numbers are lots now and not sequences, those of ended entries as well.
  const ended = Array.from(memory.ended.all(), (sequence) => numberOf(queue, sequence));
  memory.ended = endedEntries(redis, concertId, ended);
  memory.confirmed = numberSet();
}

/** The memory of Redis may be older than the record. */
async function learnProgress(queue: ViewedQueue): Promise<void> {
  const progress = await queue.records.findProgress(queue.concertId);
  if (progress === undefined) return;
  noteDrawn(queue, progress.epoch, progress.drawn);
  queue.memory.head = Math.max(queue.memory.head, progress.head);
}

async function surveyQueue(queue: ViewedQueue, open: () => Promise<void>): Promise<Survey> {
  if (queue.memory.epoch === '') await learnProgress(queue);
  const asOf = performance.now();
  const { epoch, drawn, head } = queue.memory;
  const known = { epochKnown: epoch, drawnKnown: drawn, headKnown: head, ...queue.rebuild };
  const reply = await run(queue.redis, scripts.survey, queue.keys, known);
  // 'unopened'
  if (reply.length === 1) {
    await open();
    return surveyQueue(queue, open);
  }
  const [epochNow, headNow, drawnNow, waiting, active, absent, turnover, presentShare, registered, endedBytes] = reply;
  const [rebuildingMs, memoryName, state, count, seed] = reply.slice(10) as [number, string, DrawState, number, string];
  noteDrawn(queue, epochNow, drawnNow);
  const isOther = memoryName !== (queue.memory.survey?.memoryName ?? '');
  if (state === 'placing' || state === 'drawn') await learnDraw(queue, { count, seed });
  if (isOther) queue.memory.confirmed = numberSet();
  await queue.memory.ended.surveyed(endedBytes, isOther);
  if (isOther) await restoreEnded(queue);
  queue.memory.head = Math.max(queue.memory.head, headNow);
  const rebuilding = rebuildingMs > 0 ? { rebuildingMs } : {};
  const counts = {
    waiting,
    active,
    absent,
    registered,
    ...paceOf(turnover, presentShare),
  };
  const figures = { head: headNow, drawn: drawnNow, ...counts, ...rebuilding };
  queue.memory.survey = { figures, epoch: epochNow, state, memoryName, asOf };
  return queue.memory.survey;
}

/** The log of ended entries may lack those that this instance knows, and those who have paid. */
async function restoreEnded(queue: ViewedQueue): Promise<void> {
  const { redis, records, concertId, keys, memory } = queue;
  const { paid } = await records.open(concertId);
  memory.ended.note(paid.map((sequence) => numberOf(queue, sequence)));
  const missing = memory.ended.missing();
  if (missing.length === 0) return;
  await run(redis, scripts.noteEnded, keys, { epoch: memory.epoch, ended: packNumbers(missing) });
}
