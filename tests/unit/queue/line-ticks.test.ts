import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type LineTicks, lineTicks } from '#adapters/redis/queue/line-ticks.ts';

// By a clock of our own; that of Redis is ahead of it by a fixed time, which an instance has to find out.

const REDIS_AHEAD_MS = 1_700_000_000_000;
const START_MS = 50_000;
let now = START_MS;

beforeEach(() => {
  now = START_MS;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => vi.restoreAllMocks());

type Written = { readonly ago: number; readonly frontier: number; readonly over?: number };

/** A survey that took two milliseconds, and what was written down by then: how long ago, the front, how many places were over. */
function survey(ticks: LineTicks, ...written: readonly Written[]): void {
  const redisNow = REDIS_AHEAD_MS + now;
  const lines = written.map(({ ago, frontier, over = 0 }) => `${redisNow - ago}:${frontier}:${4 * over}`);
  now += 1;
  ticks.learn(redisNow, now - 2, lines.join(' '));
}

test('a position is told by the newest moment that is old enough for every instance to know it', () => {
  const ticks = lineTicks();
  survey(ticks, { ago: 100, frontier: 300 }, { ago: 850, frontier: 200 }, { ago: 950, frontier: 100 });
  expect(ticks.positionOf(1_000)).toBe(801);
});

test('as time goes on the next moment is told of, and none that is older than a second', () => {
  const ticks = lineTicks();
  survey(ticks, { ago: 700, frontier: 300 }, { ago: 900, frontier: 200 });
  expect(ticks.positionOf(1_000)).toBe(801);
  now += 95;
  expect(ticks.positionOf(1_000)).toBe(801);
  survey(ticks, { ago: 0, frontier: 400 }, { ago: 800, frontier: 300 }, { ago: 1_000, frontier: 200 });
  now += 10;
  expect(ticks.positionOf(1_000)).toBe(701);
});

test('nothing is told before anything is known, nor when nobody has looked for too long', () => {
  const ticks = lineTicks();
  expect(ticks.isKnown()).toBe(false);
  survey(ticks, { ago: 850, frontier: 100 });
  expect(ticks.isKnown()).toBe(true);
  now += 800;
  expect(ticks.isKnown()).toBe(false);
  expect(ticks.positionOf(1_000)).toBeUndefined();
});

test('the places that were over at that moment are not counted, and those that ended since are', () => {
  const ticks = lineTicks();
  for (const number of [500, 600, 700]) ticks.ended(number);
  survey(ticks, { ago: 100, frontier: 101, over: 3 }, { ago: 850, frontier: 101, over: 2 });
  expect(ticks.positionOf(1_000)).toBe(898);
  expect(ticks.positionOf(550)).toBe(449);
});

test('a moment whose log was not read that far yet is not told of', () => {
  const ticks = lineTicks();
  ticks.ended(500);
  survey(ticks, { ago: 820, frontier: 101, over: 2 }, { ago: 920, frontier: 101, over: 1 });
  expect(ticks.positionOf(1_000)).toBe(899);
});

test('what is known to be over stays so when the log begins anew', () => {
  const ticks = lineTicks();
  for (const number of [500, 600]) ticks.ended(number);
  survey(ticks, { ago: 850, frontier: 101, over: 1 });
  expect(ticks.positionOf(1_000)).toBe(899);
  ticks.reread();
  survey(ticks, { ago: 850, frontier: 101, over: 0 });
  expect(ticks.positionOf(1_000)).toBe(898);
});

test('two instances of which one is answered slowly tell the same, to within half of what its quickest question took', () => {
  const [quick, slow] = [lineTicks(), lineTicks()];
  const written = (redisNow: number) => `${redisNow - 50}:300:0 ${redisNow - 900}:200:0`;
  const redisNow = REDIS_AHEAD_MS + now;
  quick.learn(redisNow, now - 1, written(redisNow));
  // Redis looked at its clock as soon as it was asked; the answer was forty milliseconds on the way.
  now += 40;
  slow.learn(redisNow, now - 40, written(redisNow));
  quick.learn(REDIS_AHEAD_MS + now, now - 1, written(redisNow));
  expect(slow.positionOf(1_000)).toBe(quick.positionOf(1_000));
});
