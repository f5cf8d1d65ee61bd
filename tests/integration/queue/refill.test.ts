import { expect, test } from 'vitest';
import { watchRefills } from '#tests/support/refill-story.ts';
import { sharedWorld } from '#tests/support/world.ts';

const world = await sharedWorld();

test('each of forty expired sessions goes to the next entry, without any request', async () => {
  expect(await watchRefills(world, 20, 40)).toHaveLength(40);
});
