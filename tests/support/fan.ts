import { randomUUID } from 'node:crypto';
import type { SeatWish } from '#domain/booking/best-seats.ts';
import { DATE } from './hall.ts';
import { countOf } from './outcome.ts';
import { until } from './until.ts';

/** Whatever an answer may say; which of it is there depends on the answer. */
export type Said = Readonly<
  Partial<{
    code: string;
    userId: string;
    status: string | number;
    token: string;
    sequence: number;
    position: number;
    expiresAt: string;
    soldOut: boolean;
    seatsHeld: number;
    reservationId: string;
    heldUntil: string;
    createdAt: string;
    paymentId: string;
    chargeId: string;
    balance: number;
    amount: number;
    items: readonly Said[];
    seatNumber: number;
    seatNumbers: readonly number[];
    left: number;
  }>
>;

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: Said };

type Command = { readonly key?: string };

/** Somebody at a browser. Each call goes to the next door, as a load balancer without stickiness would have it. */
export type Fan = {
  readonly userId: string;
  readonly accessToken: string;
  /** The queue token, once in line. */
  readonly token: string;
  /** Any call, with both credentials unless told otherwise. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  join(concertId: string): Promise<Answer>;
  poll(): Promise<Answer>;
  untilActive(): Promise<void>;
  leave(): Promise<Answer>;
  reserve(seatNumbers: readonly number[], command?: Command): Promise<Answer>;
  /** The best seats side by side. */
  reserveBest(wish: SeatWish, command?: Command): Promise<Answer>;
  /** Reserves and expects to succeed; answers the reservation's id. */
  hold(...seatNumbers: readonly number[]): Promise<string>;
  extend(reservationId: string, command?: Command): Promise<Answer>;
  cancel(reservationId: string, command?: Command): Promise<Answer>;
  pay(reservationId: string, command?: Command): Promise<Answer>;
  charge(amount: number, command?: Command): Promise<Answer>;
  balance(): Promise<number>;
};

export type CallOptions = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

type Credentials = { readonly userId: string; readonly accessToken: string };

/** @param patienceMs after which they hang up; without it they wait for as long as it takes. */
export function fanAt(door: () => string, { userId, accessToken }: Credentials, patienceMs?: number): Fan {
  let token = '';

  const call = (method: string, path: string, { headers, body }: CallOptions = {}) =>
    send(`${door()}/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${accessToken}`,
        ...(token === '' ? {} : { 'queue-token': token }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(patienceMs === undefined ? {} : { signal: AbortSignal.timeout(patienceMs) }),
    });
  const command = (path: string, body: unknown, { key = randomUUID() }: Command = {}) =>
    call('POST', path, { body, headers: { 'idempotency-key': key } });

  const fan: Fan = {
    userId,
    accessToken,
    get token() {
      return token;
    },
    call,
    async join(concertId) {
      const answer = await call('POST', `/concerts/${concertId}/queue`);
      token = answer.body.token ?? token;
      return answer;
    },
    poll: () => call('GET', '/queue'),
    untilActive: () => until(`${userId} is active`, async () => (await fan.poll()).body.status === 'ACTIVE'),
    leave: () => call('DELETE', '/queue'),
    reserve: (seatNumbers, options) => command('/reservations', { date: DATE, seatNumbers }, options),
    reserveBest: (wish, options) => command('/reservations', { date: DATE, adjacent: true, ...wish }, options),
    async hold(...seatNumbers) {
      const { status, body } = await fan.reserve(seatNumbers);
      if (body.reservationId === undefined) throw new Error(`no hold: ${status} ${body.code}`);
      return body.reservationId;
    },
    extend: (reservationId, options) => command(`/reservations/${reservationId}/extensions`, undefined, options),
    cancel: (reservationId, options) => command(`/reservations/${reservationId}/cancellation`, undefined, options),
    pay: (reservationId, options) => command('/payments', { reservationId }, options),
    charge: (amount, options) => command(`/users/${userId}/balance/charges`, { amount }, options),
    balance: async () => (await call('GET', `/users/${userId}/balance`)).body.balance ?? Number.NaN,
  };
  return fan;
}

/** One request, with nothing added to it. */
export async function send(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

/** How many answers there are of each kind: `{ 201: 1, '409 seat-taken': 999 }`. */
export function tally(answers: readonly Answer[]): Record<string, number> {
  return countOf(answers.map(({ status, body: { code } }) => (code === undefined ? `${status}` : `${status} ${code}`)));
}
