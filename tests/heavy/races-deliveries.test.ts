import { afterAll, inject, test } from 'vitest';
import { raceForDeliveries } from '#tests/support/delivery-races.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { realPorts } from '#tests/support/real-ports.ts';

/** Ends a hang. */
const LIMIT_MS = 1_800_000;
const { ports, pool, close } = await realPorts(await freshDatabase(), inject('redisUrl'));
afterAll(close);

test('attempts, relays, replays, tests and forgets deliveries of one reservation at once without a failure, in long races', {
  timeout: LIMIT_MS,
}, async () => {
  await raceForDeliveries(ports, pool, { rounds: 4, turns: 80 });
});
