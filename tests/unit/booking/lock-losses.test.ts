import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lockLosses } from '#adapters/redis/seats/lock-losses.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const MESSAGE = 'commands went on without a lock';
const [first, last] = [new Error('the first'), new Error('the last')];

function losses() {
  const lines: unknown[] = [];
  return { lines, ...lockLosses({ warn: (facts, message) => lines.push([facts, message]) }) };
}

test('commands that ran without a lock are counted, and logged every ten seconds if there were any', () => {
  const { lines, count } = losses();
  vi.advanceTimersByTime(10_000);
  expect(lines).toEqual([]);
  count(first);
  count(last);
  expect(lines).toEqual([]);
  vi.advanceTimersByTime(10_000);
  expect(lines).toEqual([[{ count: 2, sinceStart: 2, err: last }, MESSAGE]]);
  count(first);
  vi.advanceTimersByTime(20_000);
  expect(lines.slice(1)).toEqual([[{ count: 1, sinceStart: 3, err: first }, MESSAGE]]);
});

test('the last of them are logged at the end', () => {
  const { lines, count, stop } = losses();
  count(first);
  stop();
  vi.advanceTimersByTime(60_000);
  expect(lines).toEqual([[{ count: 1, sinceStart: 1, err: first }, MESSAGE]]);
});
