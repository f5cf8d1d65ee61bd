import { randomUUID } from 'node:crypto';
import { joined, queueStatus } from '#adapters/http/queue/queue-schemas.ts';
import { user } from '#adapters/http/wallet/user-schemas.ts';
import type { Call, Reply } from './contract-client.ts';
import { DATE } from './hall.ts';
import { until } from './until.ts';

type Headers = Readonly<Record<string, string>>;

/** Somebody who has only the API: every call goes through a client that holds the answers against the document. */
export type Visitor = {
  readonly userId: string;
  /** The header that says who they are. */
  readonly asUser: Headers;
  /** The header that says where they stand; once they have joined. */
  readonly inLine: Headers;
  get(path: string, headers?: Headers): Promise<Reply>;
  join(concertId: string): Promise<Reply>;
  untilActive(): Promise<void>;
  /** Joins, and waits to be let in. */
  enter(concertId: string): Promise<void>;
  leave(): Promise<Reply>;
  reserve(seatNumbers: readonly number[], key?: string): Promise<Reply>;
  extend(reservationId: string, key?: string): Promise<Reply>;
  release(reservationId: string): Promise<Reply>;
  cancel(reservationId: string, key?: string): Promise<Reply>;
  charge(amount: number, key?: string): Promise<Reply>;
  pay(reservationId: string, key?: string): Promise<Reply>;
};

export async function newVisitor(call: Call): Promise<Visitor> {
  const { userId, accessToken } = (await call('POST', '/v1/users')).as(user);
  const asUser = { authorization: `Bearer ${accessToken}` };
  let inLine: Headers = {};
  const keyed = (key: string = randomUUID()) => ({ 'idempotency-key': key });

  const visitor: Visitor = {
    userId,
    asUser,
    get inLine() {
      return inLine;
    },
    get: (path, headers = asUser) => call('GET', path, { headers }),
    async join(concertId) {
      const reply = await call('POST', `/v1/concerts/${concertId}/queue`, { headers: asUser });
      if (reply.code === undefined) inLine = { 'queue-token': reply.as(joined).token };
      return reply;
    },
    untilActive: () =>
      until(`${userId} is active`, async () => {
        return (await visitor.get('/v1/queue', inLine)).as(queueStatus).status === 'ACTIVE';
      }),
    async enter(concertId) {
      await visitor.join(concertId);
      await visitor.untilActive();
    },
    leave: () => call('DELETE', '/v1/queue', { headers: inLine }),
    reserve: (seatNumbers, key) =>
      call('POST', '/v1/reservations', { headers: { ...inLine, ...keyed(key) }, body: { date: DATE, seatNumbers } }),
    release: (reservationId) => call('DELETE', `/v1/reservations/${reservationId}`, { headers: asUser }),
    extend: (reservationId, key) =>
      call('POST', `/v1/reservations/${reservationId}/extensions`, { headers: { ...inLine, ...keyed(key) } }),
    cancel: (reservationId, key) =>
      call('POST', `/v1/reservations/${reservationId}/cancellation`, { headers: { ...asUser, ...keyed(key) } }),
    charge: (amount, key) =>
      call('POST', `/v1/users/${userId}/balance/charges`, { headers: { ...asUser, ...keyed(key) }, body: { amount } }),
    pay: (reservationId, key) =>
      call('POST', '/v1/payments', { headers: { ...inLine, ...keyed(key) }, body: { reservationId } }),
  };
  return visitor;
}
