import { test } from 'vitest';
import { openRedis } from '#tests/support/open-redis.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { pollThroughLoss } from '#tests/support/queue-rebuilt-story.ts';
import { startWorld } from '#tests/support/world.ts';

/** A minute on a fast machine. */
const LIMIT_MS = 1_200_000;

const own = await ownRedis();
const redis = await openRedis({ url: own.url });
const world = await startWorld({ instances: 3, redisUrl: own.url, settings: { REBUILD_SECONDS: '600' } });

test(
  'ten thousand clients that keep polling while Redis loses all data are admitted in their old order, before any new one',
  () => pollThroughLoss(world, redis, { people: 10_000, activeMax: 20, letInBefore: 40, pollSecondsMax: 20 }),
  LIMIT_MS,
);
