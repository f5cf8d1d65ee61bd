import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { apiClient, type Credentials, type Said, toldMs } from '#tests/support/client/client.ts';
import type { PooledAnswer, PooledTransport } from '#tests/support/client/pooled-transport.ts';
import { type Errand, isPutOff, type Tally } from './tally.ts';

/** What a fan is going to do, decided before it joins. */
export type FanPlan = {
  readonly credentials: Credentials;
  readonly comesAfterMs: number;
  /** Leaves while waiting; falls silent for a time and rejoins; buys once admitted; or only looks. */
  readonly temper: 'leaves' | 'strays' | 'buys' | 'looks';
  /** The part of the queue that is still ahead when the fan leaves or falls silent, from 0 to 1. */
  readonly remainder: number;
  readonly silentMs: number;
  readonly stayMs: number;
  readonly seatNumber: number;
};

/** What became of a fan, by the answers it got. Times are milliseconds since 1970. */
export type FanRecord = {
  readonly temper: FanPlan['temper'];
  /** All sequences in its answers. */
  readonly sequences: number[];
  timesLetIn: number;
  positionRises: number;
  /** Answers `WAITING` without a position from 1, or with an estimate that is not in the future. */
  oddAnswers: number;
  /** Told while it waited: when, and seconds to wait at the median and for nine of ten. */
  readonly estimates: (readonly [at: number, p50: number, p90: number])[];
  /** The longest time in which the queue may have recorded no request of the fan, while it waited. */
  silenceMs: number;
  joinedAt?: number;
  letInAt?: number;
  /** When the request that ended the session was sent, and when it was answered. */
  gaveBackAt?: number;
  goneAt?: number;
  ending?: 'left' | 'looked' | 'bought' | 'lost';
};

export type Stage = { readonly concertId: string; readonly transport: PooledTransport; readonly tally: Tally };

export const newRecord = ({ temper }: FanPlan): FanRecord => ({
  temper,
  sequences: [],
  timesLetIn: 0,
  positionRises: 0,
  oddAnswers: 0,
  estimates: [],
  silenceMs: 0,
});

/** A fan's whole visit. The record grows as it goes, so that it can be read at any moment. */
export async function visit(plan: FanPlan, record: FanRecord, { concertId, transport, tally }: Stage): Promise<void> {
  const client = apiClient(transport.send, plan.credentials);
  let position = Number.POSITIVE_INFINITY;
  let status: Said['status'];
  /** The last answer, and when the request before it went out. */
  let heard: Pick<PooledAnswer, 'url' | 'sentAt'> | undefined;
  let heardBefore: number | undefined;

  /** Repeats the call as told, until it is served. */
  async function served(errand: Errand, call: () => Promise<PooledAnswer>): Promise<PooledAnswer> {
    for (;;) {
      const start = performance.now();
      const answer = await call();
      tally.note(errand, answer.status, performance.now() - start);
      if (answer.status < 500 && !isPutOff(answer.status)) return answer;
      await pause(toldMs(answer));
    }
  }

  async function ask(errand: 'join' | 'poll'): Promise<PooledAnswer> {
    const answer = await served(errand, errand === 'join' ? () => client.join(concertId) : client.poll);
    const { body, sentAt, url } = answer;
    if (body.sequence !== undefined && !record.sequences.includes(body.sequence)) record.sequences.push(body.sequence);
    // The last request was recorded at the earliest when it went out, and this one at the latest now.
    const since = heard !== undefined && transport.hasForgotten(heard) ? heardBefore : heard?.sentAt;
    record.silenceMs = Math.max(record.silenceMs, Date.now() - (since ?? sentAt));
    heardBefore = since ?? sentAt;
    heard = { url, sentAt };
    record.joinedAt ??= Date.now();
    if (body.status === 'ACTIVE' && status !== 'ACTIVE') record.timesLetIn++;
    if (body.status === 'WAITING') {
      const { position: told = Number.NaN, etaSeconds, etaP90Seconds } = body;
      if (!(told >= 1 && (etaSeconds ?? 1) > 0)) record.oddAnswers++;
      if (etaSeconds !== undefined && etaP90Seconds !== undefined)
        record.estimates.push([Date.now(), etaSeconds, etaP90Seconds]);
      if (told > position) record.positionRises++;
      position = told;
    }
    status = body.status;
    return answer;
  }

  async function buy(): Promise<boolean> {
    const [reserveKey, payKey] = [randomUUID(), randomUUID()];
    const hold = await served('reserve', () => client.reserve([plan.seatNumber], reserveKey));
    if (hold.status !== 201) return false;
    const { reservationId = '' } = hold.body;
    record.gaveBackAt = Date.now();
    const { status: paid } = await served('pay', () => client.pay(reservationId, payKey));
    record.goneAt = Date.now();
    return paid === 201;
  }

  await pause(plan.comesAfterMs);
  let told = await ask('join');
  const turningPoint = plan.remainder * position;
  let strayed = false;
  while (told.body.status === 'WAITING') {
    if (plan.temper === 'leaves' && position <= turningPoint) {
      await served('leave', client.leave);
      record.ending = 'left';
      return;
    }
    const strays: boolean = plan.temper === 'strays' && !strayed && position <= turningPoint;
    strayed ||= strays;
    await pause(strays ? plan.silentMs : toldMs(told));
    // An absent fan opens the page anew.
    told = strays ? await ask('join') : await ask('poll');
  }
  if (told.body.status !== 'ACTIVE') {
    record.ending = 'lost';
    return;
  }
  record.letInAt = Date.now();
  await pause(plan.stayMs);
  if (plan.temper === 'buys' && (await buy())) {
    record.ending = 'bought';
    return;
  }
  record.gaveBackAt = Date.now();
  await served('leave', client.leave);
  record.goneAt = Date.now();
  record.ending = 'looked';
}
