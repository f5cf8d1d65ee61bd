import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, expect, inject, test } from 'vitest';
import { connectRedis } from '#adapters/redis/client.ts';

const LIMIT_MS = 100;
const { redis, close } = await connectRedis({ url: inject('redisUrl'), commandTimeoutMs: LIMIT_MS }, (error) => {
  throw error;
});
afterAll(close);

/** Keeps Redis busy for as long as given, then answers `done`. */
const WORK = `
  local function now() local time = redis.call('TIME') return time[1] * 1000 + time[2] / 1000 end
  local ends = now() + ARGV[1]
  while now() < ends do end
  return 'done'`;

test('a process too busy to read an answer that came in time does not take it for a failure', async () => {
  const answer = redis.eval(WORK, 0, LIMIT_MS / 5);
  // Commands go out when the loop has turned.
  await turn();
  await turn();

  const busyUntil = performance.now() + 3 * LIMIT_MS;
  while (performance.now() < busyUntil);

  await expect(answer).resolves.toBe('done');
});

test('a command that is not answered in time fails', async () => {
  await expect(redis.eval(WORK, 0, 2 * LIMIT_MS)).rejects.toThrow('Command timed out');
});
