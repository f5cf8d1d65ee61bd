import { setTimeout as pause } from 'node:timers/promises';

/** Ends a hang, and says nothing of how fast anything should be: minutes, on the slowest machine with busy cores. */
export const HANG_MS = 120_000;

/** Waits for a condition. Fails with its name if it does not come true before `limitMs`. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = HANG_MS): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > limit) throw new Error(`not within ${limitMs} ms: ${what}`);
    await pause(20);
  }
}

/** Waits until nothing is left, as long as it gets less. Fails when nothing changes for `HANG_MS`. */
export async function untilNoneLeft(what: string, left: () => number): Promise<void> {
  for (let before = left(); before > 0; ) {
    await until(`${what}, of ${before} that are left`, () => left() < before);
    before = left();
  }
}
