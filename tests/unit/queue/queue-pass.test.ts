import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { builtInIdentity } from '#adapters/http/guards/identity.ts';
import { queuePass } from '#adapters/http/guards/queue-pass.ts';
import { queueTokens } from '#adapters/http/guards/queue-token.ts';
import { answerProblem } from '#adapters/http/problems.ts';
import { Refusal } from '#domain/errors.ts';
import type { BoxOffice } from '#ports/booking/box-office.ts';
import type { Queue } from '#ports/queue/queue.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';

const SECRET = 'a secret of thirty-two bytes or more';
/** A fan who is in, and what becomes of their commands on a hold. */
async function aPass() {
  const { ports, stage, fan, clock } = memoryWorld();
  const concert = stage();
  const entry = await fan(concert);
  const tokens = queueTokens([{ id: 'k', secret: SECRET }]);
  const identity = builtInIdentity({ secret: SECRET, seconds: 60 });
  let asked = 0;
  const away = new Set<'line' | 'box office' | 'limit'>();
  const refuseIf = (which: 'line' | 'box office') => {
    if (away.has(which)) throw new Refusal('unavailable', { retryAfterSeconds: 1 });
  };
  const queue: Queue = {
    ...ports.queue,
    async keepOpen(entry) {
      asked++;
      refuseIf('line');
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
  const pass = queuePass(tokens, { ...ports, queue, boxOffice }, identity);
  const api = Fastify();
  api.setErrorHandler(answerProblem);
  api.decorateRequest('claim', undefined);
  api.decorateRequest('place', undefined);
  const onRequest = pass.requireToken;
  api.post('/extension', { onRequest, preHandler: pass.requireActiveOrHolding }, async () => ({}));
  api.post('/payment', { onRequest, preHandler: pass.requireActiveToPay }, async () => ({}));
  /** Something else that has to be waited for, and that refuses where nobody has asked the line by then. */
  const limit = async () => {
    await Promise.resolve();
    if (asked === 0 || away.has('limit')) throw new Refusal('rate-limited', { retryAfterSeconds: 1 });
  };
  const preValidation = [pass.askAhead, limit];
  api.post('/limited', { onRequest, preValidation, preHandler: pass.requireActiveOrRepeated }, async () => ({}));
  const headers = { 'queue-token': tokens.sign(entry), 'idempotency-key': 'k' };
  async function send(url: string): Promise<string> {
    const answer = await api.inject({ method: 'POST', url, headers, payload: { reservationId: ports.newId() } });
    return answer.json<{ code?: string }>().code ?? 'passed';
  }
  const end = () => clock.advance(concert.policy.sessionSeconds * 1_000 + 1);
  return { send, away, end, asked: () => asked };
}

describe.each(['/extension', '/payment'])('a command on a hold: %s', (url) => {
  it('passes while its sender is in, and while the line cannot be reached', async () => {
    const { send, away } = await aPass();
    expect(await send(url)).toBe('passed');
    away.add('line');
    expect(await send(url)).toBe('passed');
  });

  it('does not pass once the session has ended, not even while the box office cannot say whether it is repeated', async () => {
    const { send, end, away } = await aPass();
    end();
    expect(await send(url)).toBe('session-expired');
    away.add('box office');
    expect(await send(url)).toBe('unavailable');
  });
});

describe('a command for which the line is asked ahead', () => {
  it('passes once both the line and what it is asked beside let it, which ask at the same time', async () => {
    const { send, asked } = await aPass();
    expect(await send('/limited')).toBe('passed');
    expect(asked()).toBe(1);
  });

  it('is refused by the line as ever', async () => {
    const { send, end, away } = await aPass();
    end();
    expect(await send('/limited')).toBe('session-expired');
    away.add('line');
    expect(await send('/limited')).toBe('unavailable');
  });

  it('is refused by what comes first, and nobody is left to hear what the line says', async () => {
    const { send, away } = await aPass();
    away.add('limit').add('line');
    expect(await send('/limited')).toBe('rate-limited');
  });
});
