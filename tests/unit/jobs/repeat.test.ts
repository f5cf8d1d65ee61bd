import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { repeat } from '#adapters/jobs/repeat.ts';

const EVERY_MS = 100;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});
const passes = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

/** A job whose runs end when they are told to. */
function job() {
  const runs: { finish(): void; fail(error: unknown): void }[] = [];
  const errors: unknown[] = [];
  let recoveries = 0;
  const { stop } = repeat(
    () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      runs.push({ finish: resolve, fail: reject });
      return promise;
    },
    EVERY_MS,
    {
      onFailure: (error) => errors.push(error),
      onRecovery: () => {
        recoveries += 1;
      },
    },
  );
  return { runs, errors, recoveries: () => recoveries, stop };
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

  it('continues after an error, which is reported', async () => {
    const { runs, errors } = job();
    const failure = new Error('a run failed');
    await passes(EVERY_MS);
    runs[0]?.fail(failure);
    await passes(EVERY_MS);
    expect(errors).toEqual([failure]);
    expect(runs).toHaveLength(2);
  });

  it('reports the first of several failures in a row and the recovery, and a failure after it again', async () => {
    const { runs, errors, recoveries } = job();
    const outcomes = ['one', 'two', 'three', undefined, 'four', 'five'];
    for (const [index, failure] of outcomes.entries()) {
      await passes(2 * EVERY_MS);
      if (failure === undefined) runs[index]?.finish();
      else runs[index]?.fail(failure);
      await passes(0);
    }
    expect(errors).toEqual(['one', 'four']);
    expect(recoveries()).toBe(1);
  });

  it('that keeps failing backs off to a few seconds, and runs as usual once it succeeds', async () => {
    const { runs, errors } = job();
    let failing = true;
    const end = (run: (typeof runs)[number] | undefined) => (failing ? run?.fail('away') : run?.finish());
    const runsIn = async (milliseconds: number) => {
      const before = runs.length;
      for (let passed = 0; passed < milliseconds; passed += EVERY_MS) {
        await passes(EVERY_MS);
        end(runs.at(-1));
        await passes(0);
      }
      return runs.length - before;
    };
    expect(await runsIn(1_000), 'in the first second it goes on nearly as before').toBeGreaterThanOrEqual(5);
    await runsIn(60_000);
    const late = await runsIn(60_000);
    expect(late).toBeGreaterThanOrEqual(8);
    expect(late).toBeLessThanOrEqual(20);
    failing = false;
    // Longer than the longest pause, after which it has succeeded.
    await runsIn(10_000);
    expect(await runsIn(10_000)).toBe(100);
    expect(errors).toEqual(['away']);
  });

  it('stops between two runs', async () => {
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
  ])('stops only when the run under way has ended: when that %s', async (_, end) => {
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
