import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { connectRedis } from '#adapters/redis/client/connect-redis.ts';
import { redisCommandCounts } from '#adapters/redis/limits/command-counts.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { until } from '#tests/support/until.ts';

const settings = { url: inject('redisUrl'), commandTimeoutMs: 60_000 };
const connections = await Promise.all([connectRedis(settings, raise), connectRedis(settings, raise)]);
afterAll(() => Promise.all(connections.map(({ close }) => close())));
const [here, elsewhere] = connections.map(({ redis }) => redisCommandCounts(redis)) as [Count, Count];
type Count = ReturnType<typeof redisCommandCounts>;

const hourly = { command: 'POST /seats', windowMs: 3_600_000 };

describe('counting commands', () => {
  it('counts those of a client at all instances, and returns the rest of the window', async () => {
    const client = randomUUID();
    expect(await here(client, hourly)).toEqual({ count: 1, remainingMs: 3_600_000 });
    const second = await elsewhere(client, hourly);
    const third = await here(client, hourly);
    expect([second.count, third.count]).toEqual([2, 3]);
    expect(second.remainingMs).toBeLessThanOrEqual(3_600_000);
    expect(third.remainingMs).toBeLessThanOrEqual(second.remainingMs);
    expect(third.remainingMs).toBeGreaterThan(0);
  });

  it('misses no command of a concurrent crowd, and confuses no clients', async () => {
    const clients = Array.from({ length: 200 }, () => randomUUID());
    const all = await Promise.all([...clients, ...clients, ...clients].map((client) => here(client, hourly)));
    const countsOf = (index: number) => [0, 200, 400].map((from) => all[from + index]?.count);
    for (const index of clients.keys()) expect(countsOf(index)).toEqual([1, 2, 3]);
  });

  it('counts each command and each client separately', async () => {
    const [client, neighbour] = [randomUUID(), `2001:db8::7 ${randomUUID()}`];
    const counts = [
      await here(client, hourly),
      await here(client, { ...hourly, command: 'POST /payments' }),
      await here(neighbour, hourly),
    ];
    expect(counts.map(({ count }) => count)).toEqual([1, 1, 1]);
  });

  it('starts again when the window is over, however often a client sends commands meanwhile', async () => {
    const client = randomUUID();
    const brief = { ...hourly, windowMs: 150 };
    await here(client, brief);
    await until('a new window begins', async () => (await here(client, brief)).count === 1);
  });

  it('is unavailable when Redis is', async () => {
    const away = await connectRedis({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 1_000 }, () => {});
    await expectRefusal(redisCommandCounts(away.redis)(randomUUID(), hourly), 'unavailable');
    await away.close();
  });
});

function raise(error: Error): never {
  throw error;
}
