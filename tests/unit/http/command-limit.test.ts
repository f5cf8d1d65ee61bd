import Fastify from 'fastify';
import { beforeEach, describe, expect, it } from 'vitest';
import { commandLimitGuard } from '#adapters/http/guards/command-limit.ts';
import { guarded } from '#adapters/http/guards/guard.ts';
import { decorateRequests } from '#adapters/http/guards/request-data.ts';
import { answerProblem } from '#adapters/http/problems.ts';
import { Refusal } from '#domain/errors.ts';
import { userId } from '#domain/ids.ts';
import type { CountCommands } from '#ports/booking/command-counts.ts';

const MAX = 3;
const user = userId('01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f');

const asked: Parameters<CountCommands>[] = [];
let answer: () => Promise<{ count: number; remainingMs: number }>;
beforeEach(() => {
  asked.length = 0;
});

function api(perMinute: number) {
  const app = Fastify();
  app.setErrorHandler(answerProblem);
  decorateRequests(app);
  const limit = commandLimitGuard(perMinute, (...question) => {
    asked.push(question);
    return answer();
  });
  app.addHook('onRequest', async (request) => {
    if (request.headers.known !== undefined) request.userId = user;
  });
  app.post('/holds/:holdId', guarded([limit], { schema: { operationId: 'holdSeats' } }), async () => 'done');
  return app;
}

const send = (perMinute = MAX, headers = {}) => api(perMinute).inject({ method: 'POST', url: '/holds/7', headers });

describe('the limit of commands', () => {
  it('passes commands up to the limit, and returns how many are left, and until when', async () => {
    answer = async () => ({ count: MAX - 1, remainingMs: 41_001 });
    const { statusCode, headers } = await send();
    expect(statusCode).toBe(200);
    expect(headers.ratelimit).toBe('"holdSeats";r=1;t=42');
    answer = async () => ({ count: MAX, remainingMs: 41_000 });
    expect((await send()).headers.ratelimit).toBe('"holdSeats";r=0;t=41');
  });

  it('refuses the first one beyond it with a retry time of whole seconds, at least one', async () => {
    answer = async () => ({ count: MAX + 1, remainingMs: 12_001 });
    const refused = await send();
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '13']);
    expect(refused.headers.ratelimit).toBe('"holdSeats";r=0;t=13');
    expect(refused.headers['ratelimit-policy']).toBe('"holdSeats";q=3;w=60');
    expect(refused.json()).toMatchObject({ code: 'rate-limited', retryAfterSeconds: 13 });
    answer = async () => ({ count: MAX + 1, remainingMs: 0 });
    expect((await send()).headers['retry-after']).toBe('1');
  });

  it('counts each command separately, a user by id, an unknown client by address', async () => {
    answer = async () => ({ count: 1, remainingMs: 0 });
    await send(MAX, { known: 'yes' });
    await send(MAX);
    const counting = { command: 'holdSeats', windowMs: 60_000 };
    expect(asked).toEqual([
      [user, counting],
      ['127.0.0.1', counting],
    ]);
  });

  it('refuses nobody while nothing can be counted', async () => {
    answer = async () => {
      throw new Refusal('unavailable', { retryAfterSeconds: 1 });
    };
    const { statusCode, headers } = await send();
    expect([statusCode, headers.ratelimit]).toEqual([200, undefined]);
  });

  it('propagates our own bugs', async () => {
    answer = async () => {
      throw new Error('NOPERM');
    };
    expect((await send()).statusCode).toBe(500);
  });

  it('is off at 0', async () => {
    expect((await send(0)).statusCode).toBe(200);
    expect(asked).toEqual([]);
  });
});
