import { expect, test } from 'vitest';
import { watchRefills } from '#tests/support/refill-story.ts';
import { sharedWorld } from '#tests/support/world.ts';

const world = await sharedWorld();

test('when sessions run out, each place goes to the next, forty times over, and nobody has to ask', async () => {
  expect(await watchRefills(world, 20, 40)).toHaveLength(40);
});
