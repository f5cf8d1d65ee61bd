import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { ConcertId } from '#domain/ids.ts';
import { type Fan, tally } from './fan.ts';
import { inParallel } from './in-parallel.ts';
import { until, untilNoneLeft } from './until.ts';

const JOINS_AT_ONCE = 100;

/** Somebody in line, and what they were told last, and when. */
export type Waiting = {
  readonly fan: Fan;
  readonly sequence: number;
  told: { readonly queueStatus: number | 'in' | 'lost'; readonly at: number } | undefined;
};

export type Crowd = {
  /** Settles when everybody was let in or is lost. */
  readonly over: Promise<unknown>;
  /** Those who were still told to wait after somebody behind them had been told that they are in. */
  readonly overtaken: readonly number[];
  /** Those whose position rose, from what to what, and when, in seconds since the crowd began to poll. */
  readonly risen: readonly { sequence: number; before: number; after: number; seconds: number }[];
  /** Waits until all who still wait have been told something since then, as `performance.now()` has it. */
  everybodyWasTold(since: number): Promise<void>;
};

/** Everybody joins. In the order of their numbers. */
export async function joinLine(fans: readonly Fan[], concertId: ConcertId): Promise<Waiting[]> {
  const answers = await inParallel(fans, JOINS_AT_ONCE, (fan) => fan.join(concertId));
  expect(tally(answers)).toEqual({ 201: fans.length });
  return fans
    .map((fan, index): Waiting => ({ fan, sequence: answers[index]?.body.sequence ?? Number.NaN, told: undefined }))
    .toSorted((a, b) => a.sequence - b.sequence);
}

/** What each was told last. */
export const queueStatuses = (line: readonly Waiting[]) => line.map(({ told }) => told?.queueStatus);

/**
 * Everybody polls as told until they are let in; all but the first then leave, so that the next may come in.
 *
 * @param secondsMax between two polls, however long they are told to wait: for the deadlines of a test to have room
 */
export function keepPolling(line: readonly Waiting[], secondsMax = Number.POSITIVE_INFINITY): Crowd {
  const overtaken: number[] = [];
  const risen: { sequence: number; before: number; after: number; seconds: number }[] = [];
  const began = performance.now();
  let furthestIn = 0;
  const asTold = (headers: Headers) => pause(1_000 * Math.min(secondsMax, Number(headers.get('retry-after'))));

  async function poll(person: Waiting): Promise<void> {
    const furthestBefore = furthestIn;
    const { status, headers, body } = await person.fan.poll();
    if (status === 503) {
      await asTold(headers);
      return;
    }
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
    await asTold(headers);
  }
  async function attend(person: Waiting, index: number): Promise<void> {
    while (person.told?.queueStatus !== 'in' && person.told?.queueStatus !== 'lost') await poll(person);
    if (index === 0 || person.told.queueStatus === 'lost') return;
    await until('the place is given up', async () => (await person.fan.leave()).status === 204);
  }

  const over = Promise.all(line.map(attend));
  // What goes wrong is reported where it is awaited.
  over.catch(() => {});
  return {
    over,
    overtaken,
    risen,
    everybodyWasTold(since) {
      const isTold = ({ told }: Waiting) =>
        told !== undefined && (typeof told.queueStatus === 'string' || told.at > since);
      const left = () => line.filter((person) => !isTold(person)).length;
      return untilNoneLeft('somebody more was told something', left);
    },
  };
}
