import { randomUUID } from 'node:crypto';
import { user } from '#adapters/http/wallet/user-schemas.ts';
import type { SeatWish } from '#domain/booking/best-seats.ts';
import { DATE } from '#tests/support/hall.ts';
import { countOf } from '#tests/support/outcome.ts';
import { until } from '#tests/support/until.ts';

/** What an answer may say; which of it is there depends on the answer. */
export type Said = Readonly<
  Partial<{
    code: string;
    userId: string;
    status: string | number;
    token: string;
    sequence: number;
    position: number;
    etaSeconds: number;
    etaP90Seconds: number;
    pollAfterSeconds: number;
    retryAfterSeconds: number;
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

type RequestHeaders = Readonly<Record<string, string>>;

export type CallOptions = {
  readonly headers?: RequestHeaders;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly text?: string;
};

/** How a client reaches the API: one request to a path of the document, and its answer. Rejects if no answer came. */
export type Transport<Reply> = (method: string, path: string, options?: CallOptions) => Promise<Reply>;

/** What all transports answer at least. */
export type AnyAnswer = { readonly status: number; readonly body: unknown };

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: Said };

/** The API, used by one user. Each call shows the credential that the document asks for; commands take an idempotency key. */
export type Client<Reply extends AnyAnswer = Answer> = {
  readonly userId: string;
  readonly accessToken: string;
  /** The queue token, once joined. */
  readonly token: string;
  /** The header with the access token. */
  readonly asUser: RequestHeaders;
  /** The header with the queue token, once joined. */
  readonly inQueue: RequestHeaders;
  /** Any call, with both credentials. */
  call(method: string, path: string, options?: CallOptions): Promise<Reply>;
  /** @param headers the access token by default */
  get(path: string, headers?: RequestHeaders): Promise<Reply>;
  join(concertId: string): Promise<Reply>;
  poll(): Promise<Reply>;
  untilActive(): Promise<void>;
  /** Joins and waits until admitted. */
  enter(concertId: string): Promise<void>;
  leave(): Promise<Reply>;
  seats(concertId: string, query?: string): Promise<Reply>;
  reserve(seatNumbers: readonly number[], key?: string): Promise<Reply>;
  /** The best seats side by side. */
  reserveBest(wish: SeatWish, key?: string): Promise<Reply>;
  /** Reserves and expects to succeed; returns the reservation's id. */
  hold(...seatNumbers: readonly number[]): Promise<string>;
  extend(reservationId: string, key?: string): Promise<Reply>;
  release(reservationId: string): Promise<Reply>;
  cancel(reservationId: string, key?: string): Promise<Reply>;
  pay(reservationId: string, key?: string): Promise<Reply>;
  charge(amount: number, key?: string): Promise<Reply>;
  balance(): Promise<number>;
};

export type Credentials = { readonly userId: string; readonly accessToken: string };

/** @param date of the concert, for the calls about seats */
export function apiClient<Reply extends AnyAnswer>(
  send: Transport<Reply>,
  { userId, accessToken }: Credentials,
  date: string = DATE,
): Client<Reply> {
  const asUser = { authorization: `Bearer ${accessToken}` };
  const command = (credential: RequestHeaders, path: string, body: unknown, key: string = randomUUID()) =>
    send('POST', path, { headers: { ...credential, 'idempotency-key': key }, body });
  const balanceOf = `/v1/users/${userId}/balance`;

  const client: Client<Reply> = {
    userId,
    accessToken,
    token: '',
    asUser,
    inQueue: {},
    call: (method, path, options = {}) =>
      send(method, path, { ...options, headers: { ...asUser, ...client.inQueue, ...options.headers } }),
    get: (path, headers = asUser) => send('GET', path, { headers }),
    async join(concertId) {
      const reply = await send('POST', `/v1/concerts/${concertId}/queue`, { headers: asUser });
      const { token } = said(reply);
      if (token !== undefined) Object.assign(client, { token, inQueue: { 'queue-token': token } });
      return reply;
    },
    poll: () => client.get('/v1/queue', client.inQueue),
    untilActive: () => until(`${userId} is active`, async () => said(await client.poll()).status === 'ACTIVE'),
    async enter(concertId) {
      await client.join(concertId);
      await client.untilActive();
    },
    leave: () => send('DELETE', '/v1/queue', { headers: client.inQueue }),
    seats: (concertId, query = '') =>
      client.get(`/v1/concerts/${concertId}/dates/${date}/seats${query}`, client.inQueue),
    reserve: (seatNumbers, key) => command(client.inQueue, '/v1/reservations', { date, seatNumbers }, key),
    reserveBest: (wish, key) => command(client.inQueue, '/v1/reservations', { date, adjacent: true, ...wish }, key),
    hold: async (...seatNumbers) => expected('hold', 201, await client.reserve(seatNumbers)).reservationId ?? '',
    extend: (reservationId, key) =>
      command(client.inQueue, `/v1/reservations/${reservationId}/extensions`, undefined, key),
    release: (reservationId) => send('DELETE', `/v1/reservations/${reservationId}`, { headers: asUser }),
    cancel: (reservationId, key) => command(asUser, `/v1/reservations/${reservationId}/cancellation`, undefined, key),
    pay: (reservationId, key) => command(client.inQueue, '/v1/payments', { reservationId }, key),
    charge: (amount, key) => command(asUser, `${balanceOf}/charges`, { amount }, key),
    balance: async () => said(await client.get(balanceOf)).balance ?? Number.NaN,
  };
  return client;
}

/** A client of a new user. */
export async function newClient<Reply extends AnyAnswer>(send: Transport<Reply>): Promise<Client<Reply>> {
  return apiClient(send, user.parse(expected('new user', 201, await send('POST', '/v1/users'))));
}

/** The same, admitted. */
export async function activeClient<Reply extends AnyAnswer>(send: Transport<Reply>, concertId: string) {
  const client = await newClient(send);
  await client.enter(concertId);
  return client;
}

const said = ({ body }: AnyAnswer): Said => (body ?? {}) as Said;

/** What an answer says. Throws `reserve: 409 seat-taken` if it has another status. */
export function expected(what: string, status: number, answer: AnyAnswer): Said {
  if (answer.status !== status) throw new Error(`${what}: ${answer.status} ${said(answer).code}`);
  return said(answer);
}

/** Milliseconds until a client is told to come again. */
export const toldMs = (answer: AnyAnswer): number => {
  const { pollAfterSeconds, retryAfterSeconds = 1 } = said(answer);
  return 1_000 * (pollAfterSeconds ?? retryAfterSeconds);
};

/** @param nextUrl of the instance for each request @param patienceMs after which a request is given up; by default never */
export function fetchTransport(nextUrl: () => string, patienceMs?: number): Transport<Answer> {
  return (method, path, options) =>
    send(`${nextUrl()}${path}`, {
      ...requestOf(method, options),
      ...(patienceMs === undefined ? {} : { signal: AbortSignal.timeout(patienceMs) }),
    });
}

export function requestOf(method: string, { headers, body, text }: CallOptions = {}): RequestInit {
  return {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: text ?? JSON.stringify(body),
  };
}

/** One request, with nothing added to it. */
export async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

/** How many answers there are of each kind: `{ 201: 1, '409 seat-taken': 999 }`. */
export function tally(answers: readonly Answer[]): Record<string, number> {
  return countOf(answers.map(({ status, body: { code } }) => (code === undefined ? `${status}` : `${status} ${code}`)));
}
