import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { accessTokens } from '#adapters/http/guards/access-token.ts';
import { authenticateBy } from '#adapters/http/guards/access-token-guard.ts';
import { type Guard, guarded } from '#adapters/http/guards/guard.ts';
import { queueTokens } from '#adapters/http/guards/queue-token.ts';
import { queueTokenGuard } from '#adapters/http/guards/queue-token-guard.ts';
import { decorateRequests } from '#adapters/http/guards/request-data.ts';
import { type SessionRule, sessionGuards } from '#adapters/http/guards/session-guard.ts';
import { answerProblem } from '#adapters/http/problems.ts';
import { Refusal } from '#domain/errors.ts';
import { reservationId } from '#domain/ids.ts';
import type { BoxOffice } from '#ports/booking/box-office.ts';
import type { Queue } from '#ports/queue/queue.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';

const SECRET = 'a secret of thirty-two bytes or more';
/** A user with a session, and what their commands are answered. */
async function aSession() {
  const { ports, stage, fan, clock } = memoryWorld();
  const concert = stage();
  const entry = await fan(concert);
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
  const rules: Readonly<Record<string, SessionRule>> = {
    '/reservation': { whileUnavailable: 'refuse' },
    '/extension': { whileUnavailable: 'pass' },
    '/payment': {
      whileUnavailable: 'pass',
      pays: ({ body }) => reservationId((body as { reservationId: string }).reservationId),
    },
  };
  for (const [url, rule] of Object.entries(rules)) {
    api.post(url, guarded([queueToken, forCommand(rule)], { schema: {} }), async () => ({}));
  }
  const headers = { 'queue-token': tokens.sign(entry), 'idempotency-key': 'k' };
  async function send(url: string): Promise<string> {
    const answer = await api.inject({ method: 'POST', url, headers, payload: { reservationId: ports.newId() } });
    return answer.json<{ code?: string }>().code ?? 'passed';
  }
  const end = () => clock.advance(concert.policy.sessionSeconds * 1_000 + 1);
  return { send, away, end, asked: () => asked };
}

describe.each(['/extension', '/payment'])('a command on a hold: %s', (url) => {
  it('passes during its session, and while the queue is unavailable', async () => {
    const { send, away } = await aSession();
    expect(await send(url)).toBe('passed');
    away.add('queue');
    expect(await send(url)).toBe('passed');
  });

  it('does not pass after its session, not even while Postgres cannot say whether it is repeated', async () => {
    const { send, end, away } = await aSession();
    end();
    expect(await send(url)).toBe('session-expired');
    away.add('box office');
    expect(await send(url)).toBe('unavailable');
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
    end();
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
