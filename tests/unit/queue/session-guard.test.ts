import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { accessTokens } from '#adapters/http/guards/access-token.ts';
import { authenticateBy } from '#adapters/http/guards/access-token-guard.ts';
import { type Guard, guarded } from '#adapters/http/guards/guard.ts';
import { queueTokens } from '#adapters/http/guards/queue-token.ts';
import { queueTokenGuard } from '#adapters/http/guards/queue-token-guard.ts';
import { decorateRequests } from '#adapters/http/guards/request-data.ts';
import { type OnHold, sessionGuards } from '#adapters/http/guards/session-guard.ts';
import { answerProblem } from '#adapters/http/problems.ts';
import { Refusal } from '#domain/errors.ts';
import { concertDate, paymentId, reservationId } from '#domain/ids.ts';
import type { BoxOffice } from '#ports/booking/box-office.ts';
import type { Queue } from '#ports/queue/queue.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { reserveSeats } from '#use-cases/booking/reserve-seats.ts';

const SECRET = 'a secret of thirty-two bytes or more';
/** A user with a session, and what their commands are answered. */
async function aSession() {
  const { ports, stage, fan } = memoryWorld();
  const concert = stage();
  const entry = await fan(concert, 1_000_000);
  const tokens = queueTokens([{ id: 'k', secret: SECRET }]);
  let asked = 0;
  const away = new Set<'queue' | 'box office' | 'limit'>();
  const refuseIf = (which: 'queue' | 'box office') => {
    if (away.has(which)) throw new Refusal('unavailable', { retryAfterSeconds: 1 });
  };
  const queue: Queue = {
    ...ports.queue,
    async keepOpen(entry) {
      asked++;
      refuseIf('queue');
      return ports.queue.keepOpen(entry);
    },
  };
  const boxOffice: BoxOffice = {
    ...ports.boxOffice,
    async knows(request) {
      refuseIf('box office');
      return ports.boxOffice.knows(request);
    },
  };
  /** Something else that the request waits for. It refuses where the queue was not asked by then. */
  const limit: Guard & Required<Pick<Guard, 'preValidation'>> = {
    async preValidation() {
      await Promise.resolve();
      if (asked === 0 || away.has('limit')) throw new Refusal('rate-limited', { retryAfterSeconds: 1 });
    },
    refusals: ['rate-limited'],
  };
  const { forCommand } = sessionGuards({ ...ports, queue, boxOffice }, limit);
  const queueToken = queueTokenGuard(tokens, authenticateBy(accessTokens({ secret: SECRET, seconds: 60 })));
  const api = Fastify();
  api.setErrorHandler(answerProblem);
  decorateRequests(api);
  const onHold: OnHold = ({ body }) => reservationId((body as { reservationId: string }).reservationId);
  for (const [url, guard] of [
    ['/reservation', forCommand()],
    ['/payment', forCommand(onHold)],
  ] as const) {
    api.post(url, guarded([queueToken, guard], { schema: {} }), async () => ({}));
  }
  const headers = { 'queue-token': tokens.sign(entry), 'idempotency-key': 'k' };
  const request = { userId: entry.userId, key: 'another', fingerprint: '' };
  const date = concert.dates[0]?.date ?? concertDate('');
  const { answer: hold } = await reserveSeats(ports, { entry, date, seatNumbers: [1], request });
  const release = () => ports.boxOffice.release(entry.userId, hold.reservationId);
  const payIt = () =>
    ports.boxOffice.pay({
      entry,
      reservationId: hold.reservationId,
      paymentId: paymentId(ports.newId()),
      request: { ...request, key: 'paid' },
    });
  async function send(url: string): Promise<string> {
    const answer = await api.inject({ method: 'POST', url, headers, payload: hold });
    return answer.json<{ code?: string }>().code ?? 'passed';
  }
  const end = () => ports.queue.leave(entry);
  return { send, away, end, release, payIt, asked: () => asked };
}

describe('a command on a hold', () => {
  it('passes during its session, and while the queue is unavailable', async () => {
    const { send, away } = await aSession();
    expect(await send('/payment')).toBe('passed');
    away.add('queue');
    expect(await send('/payment')).toBe('passed');
  });

  it('passes without a session while the user has the hold, and no longer', async () => {
    const { send, end, release } = await aSession();
    await end();
    expect(await send('/payment')).toBe('passed');
    await release();
    expect(await send('/payment')).toBe('session-expired');
  });

  it('tells a user who has paid', async () => {
    const { send, end, payIt } = await aSession();
    await payIt();
    await end();
    expect(await send('/payment')).toBe('already-paid');
  });

  it('does not pass while Postgres cannot say whether it is repeated', async () => {
    const { send, end, away } = await aSession();
    await end();
    away.add('box office');
    expect(await send('/payment')).toBe('unavailable');
  });
});

describe('a command whose session is looked up while it is counted', () => {
  it('passes once both allow it, and asks both at the same time', async () => {
    const { send, asked } = await aSession();
    expect(await send('/reservation')).toBe('passed');
    expect(asked()).toBe(1);
  });

  it('is refused without a session, and while the queue is unavailable', async () => {
    const { send, end, away } = await aSession();
    await end();
    expect(await send('/reservation')).toBe('session-expired');
    away.add('queue');
    expect(await send('/reservation')).toBe('unavailable');
  });

  it('is refused by the limit first, and a failure of the queue is not left unhandled', async () => {
    const { send, away } = await aSession();
    away.add('limit').add('queue');
    expect(await send('/reservation')).toBe('rate-limited');
  });
});
