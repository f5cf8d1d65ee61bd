import { expect, test } from 'vitest';
import { pollThroughFailover } from '#tests/support/failover-story.ts';
import { ownSentinel } from '#tests/support/own-sentinel.ts';
import { startWorld } from '#tests/support/world.ts';

const redis = await ownSentinel();
const world = await startWorld({ redisUrl: redis.url });

test('a thousand clients that keep polling while the primary dies keep their entries, and are admitted in order', async () => {
  // Four hundred are let in at once: who far back hears of it first says nothing of the order. The record does.
  const { risen } = await pollThroughFailover(world, redis, { people: 1_000, round: 400, pollSecondsMax: 5 });
  expect(risen).toEqual([]);
});
