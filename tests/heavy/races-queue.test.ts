import { describe, test } from 'vitest';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { admitInLoops, letInOneByOne } from '#tests/support/races-queue-story.ts';
import { startWorld } from '#tests/support/world.ts';

const world = await startWorld({ instances: 3 });
const connections = await Promise.all(Array.from({ length: 8 }, () => openRedis()));

describe('three instances', () => {
  test('admit two thousand entries exactly in the order in which they joined, each once', () =>
    letInOneByOne(world, { count: 2_000, activeMax: 50, joinsAtOnce: 300, watchers: 10 }));

  auditAtTheEnd(world);
});

test('eight concurrent admission loops never exceed the limit, and admit each of a thousand entries exactly once', () =>
  admitInLoops(connections, 1_000));
