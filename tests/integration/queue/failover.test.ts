import { expect, test } from 'vitest';
import { pollThroughFailover } from '#tests/support/failover-story.ts';
import { ownSentinel } from '#tests/support/own-sentinel.ts';
import { startWorld } from '#tests/support/world.ts';

const redis = await ownSentinel();
const world = await startWorld({ redisUrl: redis.url });

test('those who keep polling while the primary dies keep their places, and are let in in their order', async () => {
  // As many as are looked up at each poll, so that what they are told is in order too.
  const crowd = await pollThroughFailover(world, redis, { people: 120, round: 50, pollSecondsMax: 1 });
  expect(crowd).toMatchObject({ overtaken: [], risen: [] });
});
