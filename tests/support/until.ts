import { setTimeout as pause } from 'node:timers/promises';

/**
 * Ends a hang, and says nothing of how fast anything should be: minutes, on the slowest machine with busy cores. Less where a
 * hang is what a run is to find (`tests/controls`).
 */
export const HANG_MS = Number(process.env.TEST_HANG_MS ?? 120_000);

/** What does not come true soon is asked for less often: each look is a request or a query mostly. */
const [FIRST_PAUSE_MS, PAUSE_GROWS_BY, PAUSE_MS_MAX] = [10, 1.3, 100];

/** Waits for a condition. Fails with its name if it does not come true before `limitMs`. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = HANG_MS): Promise<void> {
  const limit = Date.now() + limitMs;
  for (let pauseMs = FIRST_PAUSE_MS; !(await holds()); pauseMs = Math.min(PAUSE_MS_MAX, pauseMs * PAUSE_GROWS_BY)) {
    if (Date.now() > limit) throw new Error(`not within ${limitMs} ms: ${what}`);
    await pause(pauseMs);
  }
}

/** Waits until nothing is left, as long as it gets less. Fails when nothing changes for `HANG_MS`. */
export async function untilNoneLeft(what: string, left: () => number): Promise<void> {
  for (let before = left(); before > 0; ) {
    await until(`${what}, of ${before} that are left`, () => left() < before);
    before = left();
  }
}
