import { setTimeout as pause } from 'node:timers/promises';

/** Waits for something to become true, and says what did not if time runs out. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > limit) throw new Error(`not within ${limitMs} ms: ${what}`);
    await pause(20);
  }
}

/**
 * Waits until nothing is left, however long it takes, as long as it gets less: a loaded machine is slow, but only what is broken
 * stands still for so long.
 */
export async function untilNoneLeft(what: string, left: () => number, quietMsMax: number): Promise<void> {
  for (let before = left(); before > 0; ) {
    await until(`${what}, of ${before} that are left`, () => left() < before, quietMsMax);
    before = left();
  }
}
