import { percentile } from '#tests/load/spread.ts';
import type { FanRecord } from './virtual-fan.ts';
import type { Sighting } from './watch-sessions.ts';

/** How true the estimates of the wait were. */
export type Calibration = {
  readonly estimates: number;
  /** The difference to the wait, as a part of it. */
  readonly medianError: number;
  /** How many waited no longer than the bound for nine of ten. */
  readonly withinP90: number;
};

/** In a shorter wait, an estimate in whole seconds cannot be right. */
const WAIT_SECONDS_MIN = 10;

/** Compares each estimate with the time at which its fan was seen in Redis to be in. */
export function calibrationOf(
  records: readonly Pick<FanRecord, 'sequences' | 'estimates'>[],
  entries: readonly Sighting[],
): Calibration {
  const admittedAt = new Map(entries.map(({ sequence, at }) => [sequence, at]));
  const errors: number[] = [];
  let within = 0;
  for (const { sequences, estimates } of records) {
    const admitted = sequences.map((sequence) => admittedAt.get(sequence)).find((at) => at !== undefined);
    if (admitted === undefined) continue;
    for (const [at, p50, p90] of estimates) {
      const waited = (admitted - at) / 1_000;
      if (waited < WAIT_SECONDS_MIN) continue;
      errors.push(Math.abs(p50 - waited) / waited);
      if (waited <= p90) within++;
    }
  }
  return {
    estimates: errors.length,
    medianError: errors.length === 0 ? Number.NaN : percentile(errors, 0.5),
    withinP90: within / errors.length,
  };
}
