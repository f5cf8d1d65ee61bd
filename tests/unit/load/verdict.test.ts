import { expect, test } from 'vitest';
import { type Evidence, mostAtOnce, overtaken, refills, verdict } from '#tests/load/rush/verdict.ts';
import type { FanRecord } from '#tests/load/rush/virtual-fan.ts';

// A verdict that cannot be "guilty" proves nothing: each guarantee is broken once.

const fan = (sequence: number, more: Partial<FanRecord> = {}): FanRecord => ({
  temper: 'looks',
  sequences: [sequence],
  timesLetIn: 1,
  positionRises: 0,
  oddAnswers: 0,
  estimates: [],
  silenceMs: 0,
  letInAt: 100 * sequence,
  gaveBackAt: 100 * sequence + 50,
  goneAt: 100 * sequence + 60,
  ending: 'looked',
  ...more,
});
const sighting = (sequence: number, look = sequence, at = 20 * look) => ({ sequence, look, at, since: at - 20 });

const innocent: Evidence = {
  records: [fan(1), fan(2), fan(3, { timesLetIn: 0, ending: 'left' })],
  counts: { 'join 201': 3, 'poll 200': 9, 'poll 503': 2, 'join 429': 1, 'leave 204': 3 },
  entries: [sighting(1), sighting(2)],
  activeMost: 1,
  activeMax: 1,
  absentSeconds: 5,
};

function broken(changed: Partial<Evidence>): Record<string, number> {
  const checks = verdict({ ...innocent, ...changed }).filter(({ offences }) => offences > 0);
  return Object.fromEntries(checks.map(({ guarantee, offences }) => [guarantee, offences]));
}

test('a rush in which nothing went wrong is found without fault', () => {
  expect(broken({})).toEqual({});
});

test.each<[string, Partial<Evidence>]>([
  ['nobody who kept polling is overtaken', { entries: [sighting(2, 1), sighting(1, 2)] }],
  ['nobody is lost: who did not leave was let in', { records: [fan(1), fan(2, { timesLetIn: 0, ending: 'lost' })] }],
  ['one number per person, let in once', { records: [fan(1), fan(2, { sequences: [2, 3] })] }],
  ['one number per person, let in once', { records: [fan(1), fan(2, { timesLetIn: 2 })] }],
  ['no number twice', { records: [fan(1), fan(2), fan(2, { letInAt: 900, gaveBackAt: 950 })] }],
  ['nobody is let in a second time', { entries: [sighting(1), sighting(2), sighting(2, 3)] }],
  ['never more in than may be, as seen in Redis', { activeMost: 2 }],
  ['never more in than may be, as the fans were told', { records: [fan(1), fan(2, { letInAt: 120 })] }],
  ['no position rises', { records: [fan(1), fan(2, { positionRises: 1 })] }],
  ['positions count from 1, estimates are times to come', { records: [fan(1, { oddAnswers: 1 })] }],
  ['no answer but those that the contract foresees', { counts: { 'poll 500': 1 } }],
])('%s: a breach is found', (guarantee, changed) => {
  expect(broken(changed)).toEqual({ [guarantee]: 1 });
});

test('a fan who is not through when time is up is lost, whether in line or not even there', () => {
  const { ending: _, letInAt: __, ...waiting } = fan(2, { timesLetIn: 0 });
  const records = [fan(1), waiting, { ...waiting, sequences: [] }];
  expect(broken({ records })).toEqual({ 'nobody is lost: who did not leave was let in': 2 });
});

test('who was silent for longer than absence allows has no say in the order, but must be let in', () => {
  const entries = [sighting(2, 1), sighting(1, 2)];
  const silent = fan(1, { silenceMs: 5_000 });
  expect(broken({ entries, records: [silent, fan(2)] })).toEqual({});
  expect(broken({ entries, records: [{ ...silent, timesLetIn: 0 }, fan(2)] })).toEqual({
    'nobody is lost: who did not leave was let in': 1,
  });
});

test('those first seen in one look may have come in any order', () => {
  const kept = new Set([1, 2, 3, 4]);
  expect(overtaken([sighting(2, 1), sighting(1, 1), sighting(3, 2)], kept)).toEqual([]);
  expect(overtaken([sighting(3, 1), sighting(1, 2), sighting(4, 2), sighting(2, 3)], kept)).toEqual([1, 2]);
});

test('counts how many are in at once: who goes makes room, who never went stays', () => {
  expect(mostAtOnce([])).toBe(0);
  expect(mostAtOnce([{ letInAt: 1, gaveBackAt: 5 }, { letInAt: 5, gaveBackAt: 9 }, {}])).toBe(1);
  expect(mostAtOnce([{ letInAt: 1 }, { letInAt: 1_000, gaveBackAt: 1_001 }])).toBe(2);
});

test('a refill is from the place coming free until the next is seen in it, while people wait', () => {
  const watch = {
    entries: [sighting(1, 1, 20), sighting(2, 1, 20), sighting(3, 5, 100), sighting(4, 9, 180), sighting(5, 20, 400)],
    exits: [sighting(1, 5, 100), sighting(2, 8, 160), sighting(3, 9, 180)],
    fullFrom: 20,
    emptyFrom: 400,
  };
  // The second was told that they are gone long before their place was seen free.
  const records = [
    { sequences: [1], goneAt: 95 },
    { sequences: [2], goneAt: 110 },
    { sequences: [3], goneAt: 175 },
  ];
  expect(refills(watch, records, 2)).toEqual([100 - 80, 180 - 110]);
});
