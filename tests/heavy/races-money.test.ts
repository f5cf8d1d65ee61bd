import { describe, test } from 'vitest';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { takesOnePayment } from '#tests/support/races.ts';
import { startWorld } from '#tests/support/world.ts';

const world = await startWorld({ instances: 3 });

describe('three instances', () => {
  test('take one payment for a reservation that is paid a thousand times at once', () => takesOnePayment(world, 1_000));

  auditAtTheEnd(world);
});
