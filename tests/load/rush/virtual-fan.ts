import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { DATE } from '#tests/support/hall.ts';
import type { Answer, Asked, Doors, Told } from './doors.ts';
import { type Errand, isPutOff, type Tally } from './tally.ts';

/** What a fan is going to do, decided before they come. */
export type FanPlan = {
  readonly accessToken: string;
  readonly comesAfterMs: number;
  /** Whether they give up while waiting, fall silent for a time and come back, buy, or only look once they are in. */
  readonly temper: 'leaves' | 'strays' | 'buys' | 'looks';
  /** How much of the way is still before them when they leave or fall silent, from 0 to 1. */
  readonly remainder: number;
  readonly silentMs: number;
  readonly stayMs: number;
  readonly seatNumber: number;
};

/** What became of them, as they saw it. Times are milliseconds since 1970. */
export type FanRecord = {
  readonly temper: FanPlan['temper'];
  /** All numbers they were ever told. */
  readonly sequences: number[];
  timesLetIn: number;
  positionRises: number;
  /** Answers that say that they wait, but no position from 1, or an estimate that is no time to come. */
  oddAnswers: number;
  /** The longest that the line may have heard nothing of them, while they waited. */
  silenceMs: number;
  joinedAt?: number;
  letInAt?: number;
  /** When they sent the request that gave their place back, and when it was answered. */
  gaveBackAt?: number;
  goneAt?: number;
  ending?: 'left' | 'looked' | 'bought' | 'lost';
};

export type Stage = { readonly concertId: string; readonly doors: Doors; readonly tally: Tally };

export const newRecord = ({ temper }: FanPlan): FanRecord => ({
  temper,
  sequences: [],
  timesLetIn: 0,
  positionRises: 0,
  oddAnswers: 0,
  silenceMs: 0,
});

/** A fan's whole visit. The record grows as it goes, so that it can be read at any moment. */
export async function visit(plan: FanPlan, record: FanRecord, { concertId, doors, tally }: Stage): Promise<void> {
  const authorization = `Bearer ${plan.accessToken}`;
  let token = '';
  let position = Number.POSITIVE_INFINITY;
  let status: Told['status'];
  /** The last answer, and when the one before that was asked for. */
  let heard: Pick<Answer, 'door' | 'sentAt'> | undefined;
  let heardBefore: number | undefined;

  const inLine = () => ({ authorization, 'queue-token': token });
  const join: Asked = { method: 'POST', path: `/v1/concerts/${concertId}/queue`, headers: { authorization } };
  const poll = (): Asked => ({ method: 'GET', path: '/v1/queue', headers: { 'queue-token': token } });
  const leave = (): Asked => ({ method: 'DELETE', path: '/v1/queue', headers: inLine() });
  const command = (path: string, body: unknown): Asked => ({
    method: 'POST',
    path,
    headers: { ...inLine(), 'idempotency-key': randomUUID() },
    body,
  });

  /** Comes again when told to, until served. */
  async function served(errand: Errand, asked: Asked): Promise<Answer> {
    for (;;) {
      const start = performance.now();
      const answer = await doors.ask(asked);
      tally.note(errand, answer.status, performance.now() - start);
      if (answer.status < 500 && !isPutOff(answer.status)) return answer;
      await pause(answer.retryAfterSeconds * 1_000);
    }
  }

  async function ask(errand: 'join' | 'poll', asked: Asked): Promise<Told> {
    const { body, sentAt, door } = await served(errand, asked);
    token = body.token ?? token;
    if (body.sequence !== undefined && !record.sequences.includes(body.sequence)) record.sequences.push(body.sequence);
    // The last request was heard at the earliest when it went out, and this one at the latest now.
    const since = heard !== undefined && doors.hasForgotten(heard) ? heardBefore : heard?.sentAt;
    record.silenceMs = Math.max(record.silenceMs, Date.now() - (since ?? sentAt));
    heardBefore = since ?? sentAt;
    heard = { door, sentAt };
    record.joinedAt ??= Date.now();
    if (body.status === 'ACTIVE' && status !== 'ACTIVE') record.timesLetIn++;
    if (body.status === 'WAITING') {
      const { position: told = Number.NaN, etaSeconds = 1 } = body;
      if (!(told >= 1 && etaSeconds > 0)) record.oddAnswers++;
      if (told > position) record.positionRises++;
      position = told;
    }
    status = body.status;
    return body;
  }

  async function buy(): Promise<boolean> {
    const hold = await served('reserve', command('/v1/reservations', { date: DATE, seatNumbers: [plan.seatNumber] }));
    if (hold.status !== 201) return false;
    record.gaveBackAt = Date.now();
    const { status: paid } = await served('pay', command('/v1/payments', { reservationId: hold.body.reservationId }));
    record.goneAt = Date.now();
    return paid === 201;
  }

  await pause(plan.comesAfterMs);
  let told = await ask('join', join);
  const turningPoint = plan.remainder * position;
  let strayed = false;
  while (told.status === 'WAITING') {
    if (plan.temper === 'leaves' && position <= turningPoint) {
      await served('leave', leave());
      record.ending = 'left';
      return;
    }
    const strays: boolean = plan.temper === 'strays' && !strayed && position <= turningPoint;
    strayed ||= strays;
    await pause(strays ? plan.silentMs : (told.pollAfterSeconds ?? 0) * 1_000);
    // Who was away opens the page anew.
    told = strays ? await ask('join', join) : await ask('poll', poll());
  }
  if (told.status !== 'ACTIVE') {
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
  await served('leave', leave());
  record.goneAt = Date.now();
  record.ending = 'looked';
}
