import { describe, expect, test } from 'vitest';
import { exportManyRows, startSmall } from '#tests/support/export-many-rows.ts';
import { startWorld } from '#tests/support/world.ts';

const ROWS = 1_000_000;
/** Ends a hang: it takes half a minute on a machine at rest. */
const LIMIT_MS = 1_800_000;
/** Of what V8 keeps for long. An instance that kept the rows, or their text, would not live to the end. */
const HEAP_MEGABYTES = 192;
/** Their text alone is 290. */
const GROWTH_MEGABYTES_MAX = 200;

// Of its own: rows are made up here that nothing has led to.
const world = await startWorld({ instances: 0 });

describe('a million rows', () => {
  test('are exported in constant memory, however slowly the client reads', {
    timeout: LIMIT_MS,
  }, async () => {
    const growth = await exportManyRows(world, await startSmall(world, HEAP_MEGABYTES), ROWS);
    expect(growth).toBeLessThan(GROWTH_MEGABYTES_MAX);
  });
});
