import { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import type { Fan } from '#tests/support/fan.ts';
import { DATE, PRICE } from '#tests/support/hall.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { letIn, startWorld } from '#tests/support/world.ts';

const own = await ownRedis();
const world = await startWorld({ instances: 1, redisUrl: own.url });
const redis = new Redis(own.url);
afterAll(() => redis.disconnect());

/** All commands that Redis has executed, those of scripts included. */
async function executed(): Promise<readonly string[]> {
  const statistics = await redis.info('commandstats');
  return [...statistics.matchAll(/^cmdstat_([^:]+):/gm)].map(([, command = '']) => command);
}

test('from joining to paying nothing looks through all keys, nor through all that is in one', async () => {
  const concert = await world.openHall({ activeMax: 1 });
  const [fan, next] = (await world.fans(2, { balance: 2 * PRICE })) as [Fan, Fan];
  await letIn([fan], concert);
  await next.join(concert);
  await next.poll();
  expect((await fan.call('GET', `/concerts/${concert}/dates/${DATE}/seats`)).status).toBe(200);
  const reservation = await fan.hold(1);
  expect((await next.reserve([1])).status).toBe(403);
  expect((await fan.pay(reservation)).status).toBe(201);
  await next.untilActive();
  await next.hold(2);
  await next.leave();

  const commands = await executed();
  expect(commands).toEqual(expect.arrayContaining(['evalsha', 'zadd', 'zrem', 'incrby']));
  expect(commands.filter((command) => /^(keys|[hsz]?scan|smembers|hgetall|hkeys|hvals|sort)$/.test(command))).toEqual(
    [],
  );
});
