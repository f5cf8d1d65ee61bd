import { test } from 'vitest';
import { watchRefills } from '#tests/support/refill-story.ts';
import { startWorld } from '#tests/support/world.ts';

const TURNOVERS = 200;
/** As the settings have it. */
const TICK_MS = '100';

const world = await startWorld({ instances: 3, settings: { ADMISSION_TICK_MS: TICK_MS } });

test('each of two hundred expired sessions goes to the next entry, without any request', async ({ annotate }) => {
  const refills = await watchRefills(world, 20, TURNOVERS);
  await annotate(`a place was free for ${refills[TURNOVERS / 2]} ms (median), ${refills[0.99 * TURNOVERS]} ms (p99)`);
});
