import { test } from 'vitest';
import { openRedis } from '#tests/support/open-redis.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { pollThroughLoss } from '#tests/support/queue-rebuilt-story.ts';
import { startWorld } from '#tests/support/world.ts';

const own = await ownRedis();
const redis = await openRedis({ url: own.url });
const world = await startWorld({ redisUrl: own.url, settings: { REBUILD_SECONDS: '600' } });

test('clients that keep polling while Redis loses all data are admitted in their old order, before any new one', () =>
  pollThroughLoss(world, redis, { people: 120, activeMax: 8, letInBefore: 16, pollSecondsMax: 1 }));
