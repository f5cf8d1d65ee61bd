import type { Pace } from '#domain/queue/queue.ts';

/** The pace of a queue as a script replies it: fractions are strings, as Redis cuts numbers off. */
export function paceOf(turnover: string, presentShare: string): Pace {
  return { turnover: Number(turnover), presentShare: Number(presentShare) };
}
