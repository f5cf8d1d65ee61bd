import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { answerProblem, answerRouteNotFound, problems, typeOf } from '#adapters/http/problems.ts';
import { type Code, Refusal } from '#domain/errors.ts';

const SECRET = 'SELECT balance FROM wallets';

/** The answer to a request whose handler throws this, and what was logged. */
async function answer(thrown: unknown) {
  const lines: string[] = [];
  const api = Fastify({
    logger: { level: 'warn', stream: { write: (line: string) => lines.push(line) } },
    genReqId: () => 'request-1',
    bodyLimit: 100,
  });
  api.setErrorHandler(answerProblem);
  api.setNotFoundHandler(answerRouteNotFound);
  api.post('/', async () => {
    throw thrown;
  });
  const send = async (payload: string, contentType = 'application/json', url = '/') => {
    const reply = await api.inject({ method: 'POST', url, payload, headers: { 'content-type': contentType } });
    const { statusCode: status, headers, body } = reply;
    return { status, headers, body, problem: reply.json<Record<string, unknown>>() };
  };
  return { ...(await send('{}')), send, lines };
}

describe('a refusal', () => {
  it('is answered as the problem of the table, with its facts', async () => {
    const { status, headers, problem, lines } = await answer(new Refusal('seat-taken', { seatNumbers: [7] }));
    expect(status).toBe(409);
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(problem).toEqual({
      type: typeOf('seat-taken'),
      title: problems['seat-taken'].title,
      status: 409,
      code: 'seat-taken',
      detail: problems['seat-taken'].detail,
      instance: 'request-1',
      seatNumbers: [7],
    });
    expect(lines).toEqual([]);
  });

  it('has the retry time in Retry-After', async () => {
    const { status, headers, problem } = await answer(new Refusal('busy', { retryAfterSeconds: 3 }));
    expect([status, headers['retry-after'], problem.retryAfterSeconds]).toEqual([503, '3', 3]);
  });

  it('names the missing credential in WWW-Authenticate', async () => {
    const missing = async (code: 'unauthenticated' | 'queue-token-missing') =>
      (await answer(new Refusal(code))).headers['www-authenticate'];
    expect([await missing('unauthenticated'), await missing('queue-token-missing')]).toEqual(['Bearer', 'Queue-Token']);
  });

  it('has a fitting status, a title and a detail, for every code', () => {
    for (const code of Object.keys(problems) as Code[]) {
      const { status, title, detail } = problems[code];
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(`${title} ${detail}`).toMatch(/^\S.*\S$/);
      if (code.endsWith('-not-found')) expect(status).toBe(404);
      if (status >= 500) expect(['internal', 'queue-full', 'busy', 'unavailable']).toContain(code);
    }
  });
});

describe('a refusal with a cause', () => {
  it('is logged as a warning, once, with its cause, which the answer does not contain', async () => {
    const refusal = new Refusal('unavailable', { retryAfterSeconds: 1 });
    const { status, body, lines } = await answer(Object.assign(refusal, { cause: new Error(SECRET) }));
    expect(status).toBe(503);
    expect(body).not.toContain(SECRET);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 40, err: { code: 'unavailable' } }]);
    expect(lines.join('')).toContain(SECRET);
  });
});

describe('our own bug', () => {
  it.each([
    ['an error', new Error(SECRET, { cause: new Error('the root of it') })],
    ['a range error', new RangeError(SECRET)],
    ['an error with a status of its own', Object.assign(new Error(SECRET), { statusCode: 500 })],
  ])('is logged, and the answer has only the request id: %s', async (_, thrown) => {
    const { status, body, problem, lines } = await answer(thrown);
    expect(status).toBe(500);
    expect(problem).toMatchObject({ code: 'internal', instance: 'request-1' });
    expect(Object.keys(problem)).toEqual(['type', 'title', 'status', 'code', 'detail', 'instance']);
    expect(body).not.toContain(SECRET);
    expect(lines.join('')).toContain(SECRET);
  });

  it('is logged with its cause', async () => {
    const { lines } = await answer(new Error('on top', { cause: new Error('the root of it') }));
    expect(lines.join('')).toContain('the root of it');
  });
});

describe('an error of the framework', () => {
  it('is a problem, too: bad JSON, a big body, an unknown media type, an unknown path', async () => {
    const { send, lines } = await answer(new Error('never reached'));
    lines.length = 0;
    const all = [
      await send('{'),
      await send(JSON.stringify('x'.repeat(200))),
      await send('<a/>', 'application/xml'),
      await send('{}', 'application/json', '/nowhere'),
    ];
    expect(all.map(({ status, problem }) => [status, problem.code])).toEqual([
      [400, 'validation-failed'],
      [413, 'body-too-large'],
      [415, 'media-type-unsupported'],
      [404, 'route-not-found'],
    ]);
    expect(lines).toEqual([]);
  });
});
