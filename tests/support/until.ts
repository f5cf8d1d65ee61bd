import { setTimeout as pause } from 'node:timers/promises';

/** Waits for something to become true, and says what did not if time runs out. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > limit) throw new Error(`not within ${limitMs} ms: ${what}`);
    await pause(20);
  }
}
