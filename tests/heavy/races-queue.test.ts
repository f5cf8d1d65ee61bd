import { describe, test } from 'vitest';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { admitInLoops, letInOneByOne } from '#tests/support/races-queue-story.ts';
import { startWorld } from '#tests/support/world.ts';

const world = await startWorld({ instances: 3 });
const connections = await Promise.all(Array.from({ length: 8 }, () => openRedis()));

describe('three instances', () => {
  test('let two thousand in exactly in the order in which they asked, each once and all of them', () =>
    letInOneByOne(world, { count: 2_000, activeMax: 50, joinsAtOnce: 300, watchers: 10 }));

  auditAtTheEnd(world);
});

test('eight admission loops at once never let in more than the limit, nobody twice and everybody, of a thousand', () =>
  admitInLoops(connections, 1_000));
