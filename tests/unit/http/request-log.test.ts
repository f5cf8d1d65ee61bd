import Fastify, { LogController } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { decorateRequests } from '#adapters/http/guards/request-data.ts';
import { lazyLog } from '#adapters/http/logging/lazy-log.ts';
import { requestLog } from '#adapters/http/logging/request-log.ts';
import { answerProblem } from '#adapters/http/problems.ts';
import { Refusal } from '#domain/errors.ts';

const SAMPLE = 5;

type Line = Readonly<Record<string, unknown>> & { readonly msg: string };

/** An API that logs as the server does, and what it logged. */
function api() {
  const lines: Line[] = [];
  const log = pino({ redact: ['*.token'] }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const { tell, stop } = requestLog(log, SAMPLE);
  const app = Fastify({
    loggerInstance: lazyLog(log),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: () => 'request-1',
  });
  app.setErrorHandler(answerProblem);
  decorateRequests(app);
  app.addHook('onResponse', async (request, reply) => tell(request, reply));
  app.get('/poll', { config: { summarizedAs: 'polls' } }, async () => 'you wait');
  app.get('/refused', { config: { summarizedAs: 'polls' } }, async () => {
    throw new Refusal('rate-limited', { retryAfterSeconds: 1 });
  });
  app.get('/failed', { config: { summarizedAs: 'polls' } }, async () => {
    throw new Error('on us');
  });
  app.post('/join', { config: { summarizedAs: 'joins' } }, async () => 'you have a place');
  app.get('/wish', { config: { summarizedAs: 'reservations' } }, async (request) => {
    if (request.headers.first === undefined) throw new Refusal('seat-taken', { seatNumbers: [7] });
    return 'yours';
  });
  app.get('/list', async (request) => {
    request.log.info({ user: { token: 'secret' } }, 'from inside');
    return 'all';
  });
  const get = async (url: string, times = 1, headers = {}) => {
    for (let time = 0; time < times; time++) await app.inject({ url, headers });
  };
  const join = async (times: number) => {
    for (let time = 0; time < times; time++) await app.inject({ method: 'POST', url: '/join' });
  };
  const answered = () => lines.filter(({ msg }) => msg === 'answered');
  const summaries = () => lines.filter(({ msg }) => msg === 'polls answered');
  return { lines, get, join, stop, answered, summaries };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

describe('the log of summarized requests', () => {
  it('has a line for one in LOG_SAMPLE', async () => {
    const { get, answered } = api();
    await get('/poll', 2 * SAMPLE);
    expect(answered()).toMatchObject([{ path: '/poll', status: 200 }, { path: '/poll' }]);
  });

  it('counts each kind separately', async () => {
    const { get, join, stop, answered, lines } = api();
    await get('/poll', SAMPLE - 1);
    await join(SAMPLE);
    expect(answered()).toMatchObject([{ path: '/join' }]);
    stop();
    const kinds = lines.filter(({ msg }) => msg !== 'answered');
    expect(kinds).toMatchObject([
      { msg: 'polls answered', count: SAMPLE - 1 },
      { msg: 'joins answered', count: SAMPLE },
    ]);
  });

  it('has a line for each refusal and failure', async () => {
    const { get, answered } = api();
    await get('/refused', 3);
    await get('/failed', 2);
    expect(answered().map(({ status }) => status)).toEqual([429, 429, 429, 500, 500]);
  });

  it('has a line for the winner of a contended seat, and for one in LOG_SAMPLE of the others', async () => {
    const { get, answered } = api();
    await get('/wish', SAMPLE);
    await get('/wish', 1, { first: 'yes' });
    expect(answered().map(({ status }) => status)).toEqual([409, 200]);
  });

  it('summarizes them every ten seconds', async () => {
    const { get, summaries } = api();
    await get('/poll', 3);
    await get('/refused');
    vi.advanceTimersByTime(10_000);
    expect(summaries()).toMatchObject([{ count: 4, byStatus: { 200: 3, 429: 1 } }]);
    const { p50Milliseconds, p99Milliseconds } = summaries()[0] as Record<string, unknown> as Record<string, number>;
    expect(p50Milliseconds).toBeGreaterThan(0);
    expect(p99Milliseconds).toBeGreaterThanOrEqual(p50Milliseconds as number);

    await get('/poll');
    vi.advanceTimersByTime(10_000);
    expect(summaries().slice(1)).toMatchObject([{ count: 1, byStatus: { 200: 1 } }]);
  });

  it('has no summary of ten seconds without a poll', async () => {
    const { get, summaries } = api();
    await get('/list');
    vi.advanceTimersByTime(60_000);
    expect(summaries()).toEqual([]);
  });

  it('does not lose the last ones at the end', async () => {
    const { get, stop, summaries } = api();
    await get('/poll', 2);
    stop();
    expect(summaries()).toMatchObject([{ count: 2 }]);
    vi.advanceTimersByTime(60_000);
    expect(summaries()).toHaveLength(1);
  });
});

describe('the log of other requests', () => {
  it('has one line for each', async () => {
    const { get, answered } = api();
    await get('/list', SAMPLE + 1);
    expect(answered()).toHaveLength(SAMPLE + 1);
    expect(answered()[0]).toMatchObject({
      level: 30,
      requestId: 'request-1',
      method: 'GET',
      route: '/list',
      status: 200,
    });
  });

  it('has the request id in each line of its request, and no credential', async () => {
    const { get, lines } = api();
    await get('/list');
    const inside = lines.filter(({ msg }) => msg === 'from inside');
    expect(inside).toMatchObject([{ requestId: 'request-1', user: { token: '[Redacted]' } }]);
  });
});
