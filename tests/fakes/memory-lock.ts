import { setImmediate as turn } from 'node:timers/promises';
import type { Lock } from '#ports/booking/lock.ts';

/** Limits the wait for a seat on which another command works. */
const PATIENCE_TURNS = 20;

/** Excludes other commands, and gives up after a while, as Redlock does. */
export function memoryLock(): Lock {
  const held = new Set<string>();

  return {
    async during({ concertId, date, seatNumbers }, work) {
      const keys = seatNumbers.map((seatNumber) => `${concertId} ${date} ${seatNumber}`);
      for (let turns = 0; keys.some((key) => held.has(key)); turns++) {
        if (turns === PATIENCE_TURNS) return { contended: true };
        await turn();
      }
      for (const key of keys) held.add(key);
      try {
        return { contended: false, value: await work() };
      } finally {
        for (const key of keys) held.delete(key);
      }
    },
  };
}
