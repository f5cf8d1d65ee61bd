import { describe, test } from 'vitest';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { sellsOutInPairs } from '#tests/support/races.ts';
import { startWorld } from '#tests/support/world.ts';

const world = await startWorld({ instances: 3 });

describe('three instances', () => {
  test('sell out a hall of five hundred in adjacent pairs to a thousand concurrent users, and refuse nobody before', async ({
    annotate,
  }) => {
    const rate = await sellsOutInPairs(world, 500, 1_000);
    await annotate(`${Math.round(rate)} answers a second`);
  });

  auditAtTheEnd(world);
});
