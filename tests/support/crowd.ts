import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { ConcertId } from '#domain/ids.ts';
import { type Answer, type Client, tally, toldMs } from './client/client.ts';
import { inParallel } from './in-parallel.ts';
import { until, untilNoneLeft } from './until.ts';

const JOINS_AT_ONCE = 100;

/** A client with a queue entry, and its last queue status. */
export type Waiting = {
  readonly fan: Client;
  readonly sequence: number;
  told: { readonly queueStatus: number | 'in' | 'lost'; readonly at: number } | undefined;
};

export type Crowd = {
  /** Settles when every client was admitted or is lost. */
  readonly over: Promise<unknown>;
  /** Sequences of clients that were told to wait after a client behind them had been told that it is active. */
  readonly overtaken: readonly number[];
  /** Positions that rose, with the seconds since the crowd began to poll. */
  readonly risen: readonly { sequence: number; before: number; after: number; seconds: number }[];
  /** Waits until every client that still waits was answered after `since`, a reading of `performance.now()`. */
  everybodyWasTold(since: number): Promise<void>;
};

/** All clients join. Returns them by sequence. */
export async function joinAll(fans: readonly Client[], concertId: ConcertId): Promise<Waiting[]> {
  const answers = await inParallel(fans, JOINS_AT_ONCE, (fan) => fan.join(concertId));
  expect(tally(answers)).toEqual({ 201: fans.length });
  return fans
    .map((fan, index): Waiting => ({ fan, sequence: answers[index]?.body.sequence ?? Number.NaN, told: undefined }))
    .toSorted((a, b) => a.sequence - b.sequence);
}

/** The last queue status of each. */
export const queueStatuses = (queue: readonly Waiting[]) => queue.map(({ told }) => told?.queueStatus);

/**
 * All clients poll as told until admitted. Then all but the first leave, to make room for the next.
 *
 * @param secondsMax between two polls, however long clients are told to wait, so that the deadlines of a test have room
 */
export function keepPolling(queue: readonly Waiting[], secondsMax = Number.POSITIVE_INFINITY): Crowd {
  const overtaken: number[] = [];
  const risen: { sequence: number; before: number; after: number; seconds: number }[] = [];
  const began = performance.now();
  let furthestIn = 0;
  const asTold = (answer: Answer) => pause(Math.min(1_000 * secondsMax, toldMs(answer)));

  async function poll(person: Waiting): Promise<void> {
    const furthestBefore = furthestIn;
    const answer = await person.fan.poll();
    const { status, body } = answer;
    if (status === 503) return asTold(answer);
    expect(status).toBe(200);
    const before = person.told?.queueStatus;
    const queueStatus = body.status === 'ACTIVE' ? 'in' : body.status === 'WAITING' ? Number(body.position) : 'lost';
    person.told = { queueStatus, at: performance.now() };
    if (queueStatus === 'in') furthestIn = Math.max(furthestIn, person.sequence);
    if (typeof queueStatus !== 'number') return;
    if (furthestBefore > person.sequence) overtaken.push(person.sequence);
    if (typeof before === 'number' && queueStatus > before) {
      const seconds = (performance.now() - began) / 1_000;
      risen.push({ sequence: person.sequence, before, after: queueStatus, seconds });
    }
    await asTold(answer);
  }
  async function attend(person: Waiting, index: number): Promise<void> {
    while (person.told?.queueStatus !== 'in' && person.told?.queueStatus !== 'lost') await poll(person);
    if (index === 0 || person.told.queueStatus === 'lost') return;
    await until('the client has left', async () => (await person.fan.leave()).status === 204);
  }

  const over = Promise.all(queue.map(attend));
  // Errors are reported where it is awaited.
  over.catch(() => {});
  return {
    over,
    overtaken,
    risen,
    everybodyWasTold(since) {
      const isTold = ({ told }: Waiting) =>
        told !== undefined && (typeof told.queueStatus === 'string' || told.at > since);
      return untilNoneLeft('another client is told its queue status', () => queue.filter((one) => !isTold(one)).length);
    },
  };
}
