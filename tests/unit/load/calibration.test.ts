import { expect, test } from 'vitest';
import { calibrationOf } from '#tests/load/rush/calibration.ts';
import type { FanRecord } from '#tests/load/rush/virtual-fan.ts';

const admitted = (sequence: number, at: number) => ({ sequence, look: 1, at, since: at - 20 });

test('compares each estimate with the time until the fan was seen to be admitted', () => {
  const waited100And20: FanRecord['estimates'] = [
    [0, 150, 160],
    [80_000, 20, 20],
  ];
  const waited50: FanRecord['estimates'] = [[50_000, 40, 45]];
  const records = [
    { sequences: [1], estimates: waited100And20 },
    { sequences: [2], estimates: waited50 },
  ];
  const calibration = calibrationOf(records, [admitted(1, 100_000), admitted(2, 100_000)]);
  expect(calibration).toEqual({ estimates: 3, medianError: 0.2, withinP90: 2 / 3 });
});

test('leaves out fans who were never admitted, and the last ten seconds', () => {
  const records = [
    { sequences: [1], estimates: [[95_000, 500, 500]] satisfies FanRecord['estimates'] },
    { sequences: [9], estimates: [[0, 500, 500]] satisfies FanRecord['estimates'] },
  ];
  expect(calibrationOf(records, [admitted(1, 100_000)])).toMatchObject({ estimates: 0 });
});
