import { expect, test } from 'vitest';
import { joinLine, keepPolling, standings } from '#tests/support/crowd.ts';
import { ownSentinel } from '#tests/support/own-sentinel.ts';
import { startWorld } from '#tests/support/world.ts';

const PEOPLE = 1_000;
/** How many are let in at a time, in the end. */
const ROUND = 400;
/** Half of it is the longest that anybody is told to wait between two polls. */
const CLAIM_SECONDS = 5;

const redis = await ownSentinel();
const world = await startWorld({ instances: 2, redisUrl: redis.url, settings: { REDIS_COMMAND_TIMEOUT_MS: '1000' } });

test('a thousand who keep polling while the primary dies keep their places, and are let in in their order', async () => {
  const concert = await world.openHall({ activeMax: 1 });
  const decide = (column: 'active_max' | 'claim_seconds', value: number) =>
    world.pool.query(`UPDATE concerts SET ${column} = $2 WHERE concert_id = $1`, [concert, value]);
  await decide('claim_seconds', CLAIM_SECONDS);
  const line = await joinLine(await world.fans(PEOPLE), concert);
  const crowd = keepPolling(line);
  await crowd.everybodyWasTold(0);

  await redis.primary.kill();
  await world.untilReady();
  await crowd.everybodyWasTold(performance.now());
  expect(standings(line)).toEqual(line.map((_, ahead) => (ahead === 0 ? 'in' : ahead)));

  await decide('active_max', ROUND);
  await crowd.over;
  expect(new Set(standings(line))).toEqual(new Set(['in']));
  expect(crowd).toMatchObject({ overtaken: [], risen: [] });
}, 60_000);
