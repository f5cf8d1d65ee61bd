import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { repeat } from '#adapters/jobs/repeat.ts';

const EVERY_MS = 100;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});
const passes = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

/** A job whose runs end when they are told to. */
function job() {
  const runs: { finish(): void; fail(error: unknown): void }[] = [];
  const errors: unknown[] = [];
  const { stop } = repeat(
    () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      runs.push({ finish: resolve, fail: reject });
      return promise;
    },
    EVERY_MS,
    (error) => errors.push(error),
  );
  return { runs, errors, stop };
}

describe('a job', () => {
  it('runs after each wait', async () => {
    const { runs } = job();
    expect(runs).toHaveLength(0);
    await passes(EVERY_MS);
    expect(runs).toHaveLength(1);
    runs[0]?.finish();
    await passes(EVERY_MS - 1);
    expect(runs).toHaveLength(1);
    await passes(1);
    expect(runs).toHaveLength(2);
  });

  it('never runs twice at once, however long a run takes', async () => {
    const { runs } = job();
    await passes(50 * EVERY_MS);
    expect(runs).toHaveLength(1);
    runs[0]?.finish();
    await passes(EVERY_MS);
    expect(runs).toHaveLength(2);
  });

  it('is not ended by an error, which is reported', async () => {
    const { runs, errors } = job();
    const failure = new Error('a run failed');
    await passes(EVERY_MS);
    runs[0]?.fail(failure);
    await passes(EVERY_MS);
    expect(errors).toEqual([failure]);
    expect(runs).toHaveLength(2);
  });

  it('reports the first of several failures in a row, and again when it fails after a success', async () => {
    const { runs, errors } = job();
    const outcomes = ['one', 'two', 'three', undefined, 'four', 'five'];
    for (const [index, failure] of outcomes.entries()) {
      await passes(EVERY_MS);
      if (failure === undefined) runs[index]?.finish();
      else runs[index]?.fail(failure);
      await passes(0);
    }
    expect(errors).toEqual(['one', 'four']);
  });

  it('stops between two runs, and runs no more', async () => {
    const { runs, stop } = job();
    await passes(EVERY_MS);
    runs[0]?.finish();
    await passes(0);
    await stop();
    await passes(10 * EVERY_MS);
    expect(runs).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stops before its first run', async () => {
    const { runs, stop } = job();
    await stop();
    await passes(10 * EVERY_MS);
    expect(runs).toHaveLength(0);
  });

  it.each([
    ['succeeds', (run: { finish(): void }) => run.finish()],
    ['fails', (run: { fail(error: unknown): void }) => run.fail(new Error('too late'))],
  ])('has stopped only when the run under way has ended, and runs no more: when that %s', async (_, end) => {
    const { runs, stop } = job();
    await passes(EVERY_MS);
    let stopped = false;
    const stopping = stop().then(() => {
      stopped = true;
    });
    await passes(10 * EVERY_MS);
    expect(stopped).toBe(false);
    for (const run of runs) end(run);
    await stopping;
    await passes(10 * EVERY_MS);
    expect(runs).toHaveLength(1);
  });
});
