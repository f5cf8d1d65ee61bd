import { describe, expect, it } from 'vitest';
import { attemptOutcomeOf, RETRY_SECONDS, type Receipt } from '#domain/events/webhook.ts';

const HOUR_SECONDS = 3_600;
const answered = (status: number, retryAfterSeconds?: number): Receipt => ({
  durationMs: 1,
  status,
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
});
const SILENT: Receipt = { durationMs: 1, failure: 'no answer' };
const LAST = RETRY_SECONDS.length + 1;

describe('what follows from an attempt', () => {
  it.each([200, 201, 204, 299])('an answer of %s: it arrived', (status) => {
    expect(attemptOutcomeOf(answered(status), 1, 0)).toEqual({ state: 'DELIVERED' });
    expect(attemptOutcomeOf(answered(status), LAST, 0)).toEqual({ state: 'DELIVERED' });
  });

  it.each([100, 199, 300, 301, 307, 400, 404, 409, 429, 500, 503])(
    'an answer of %s: again, after a pause',
    (status) => {
      expect(attemptOutcomeOf(answered(status), 1, 0)).toEqual({ state: 'PENDING', retryInMs: 5_000 });
    },
  );

  it('no answer: again, after a pause', () => {
    expect(attemptOutcomeOf(SILENT, 2, 0)).toEqual({ state: 'PENDING', retryInMs: 300_000 });
  });

  it('an answer of 410: never again, and nothing else either', () => {
    expect(attemptOutcomeOf(answered(410), 1, 0)).toEqual({ state: 'FAILED', endpointGone: true });
  });

  it('the pauses grow, and go on for more than a day together', () => {
    const pauses = RETRY_SECONDS.map((_, index) => attemptOutcomeOf(SILENT, index + 1, 0));
    const seconds = pauses.map((verdict) => (verdict.state === 'PENDING' ? verdict.retryInMs / 1_000 : 0));
    expect(seconds).toEqual(seconds.toSorted((a, b) => a - b));
    const together = seconds.reduce((sum, pause) => sum + pause);
    expect(together).toBeGreaterThan(24 * HOUR_SECONDS);
    expect(together).toBeLessThan(48 * HOUR_SECONDS);
  });

  it('after the last pause it is given up', () => {
    expect(attemptOutcomeOf(SILENT, LAST, 0)).toEqual({ state: 'FAILED', endpointGone: false });
    // A process that died at the last one leaves one more.
    expect(attemptOutcomeOf(SILENT, LAST + 1, 0)).toEqual({ state: 'FAILED', endpointGone: false });
  });

  it('a pause is up to a fifth longer, by chance', () => {
    expect(attemptOutcomeOf(SILENT, 2, 0.5)).toEqual({ state: 'PENDING', retryInMs: 330_000 });
    expect(attemptOutcomeOf(SILENT, 2, 0.999)).toMatchObject({ retryInMs: expect.closeTo(360_000, -3) });
  });

  it('who asks to be left alone for longer is, but not for ever', () => {
    expect(attemptOutcomeOf(answered(503, 60), 1, 0)).toEqual({ state: 'PENDING', retryInMs: 60_000 });
    expect(attemptOutcomeOf(answered(429, 1), 2, 0)).toEqual({ state: 'PENDING', retryInMs: 300_000 });
    expect(attemptOutcomeOf(answered(503, 10 ** 9), 1, 0)).toEqual({ state: 'PENDING', retryInMs: 36_000_000 });
  });
});
