import { describe, test } from 'vitest';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { sellsASeatOnce, sellsEachSeatOnce } from '#tests/support/races.ts';
import { startWorld } from '#tests/support/world.ts';

const world = await startWorld({ instances: 3 });

describe('three instances', () => {
  test('sell a seat once to a thousand users who reserve it at the same instant', () => sellsASeatOnce(world, 1_000));

  test('sell fifty seats to fifty of five hundred users who reserve and pay at once', () =>
    sellsEachSeatOnce(world, 50, 500));

  auditAtTheEnd(world);
});
