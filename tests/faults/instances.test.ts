import { expect, test } from 'vitest';
import { send } from '#tests/support/client/client.ts';
import { setStage } from './stage.ts';

const { world, doors, whileBooking } = await setStage();

test('a killed instance loses nothing acknowledged', async () => {
  const { unclear } = await whileBooking('an instance is killed', async (aWhile) => {
    await doors[0]?.end('SIGKILL');
    // As long as a load balancer takes to notice, people are sent there.
    await aWhile();
    doors.shift();
  });
  expect(unclear).toBeGreaterThan(0);
  doors.push(await world.start());
});

test('an instance that freezes and wakes up amid its commands loses nothing acknowledged', async () => {
  const [victim] = doors;
  const { unclear } = await whileBooking('an instance is frozen for 3 s', async (aWhile) => {
    victim?.freeze();
    await aWhile().finally(() => victim?.thaw());
  });
  expect(unclear).toBeGreaterThan(0);
});

const MINUTE_MS = 60_000;
/** How long an access token is valid, by the clock of whoever issued it. */
const DAY_MS = 24 * 60 * MINUTE_MS;

test('instances whose clocks are twenty minutes apart serve correctly', async () => {
  const off = await Promise.all(
    [10 * MINUTE_MS, -10 * MINUTE_MS].map(async (offMs) => {
      const instance = await world.start({
        NODE_OPTIONS: `--import=${new URL('./clock-off.ts', import.meta.url)}`,
        CLOCK_OFF_MS: String(offMs),
      });
      const { expiresAt = '' } = (await send(`${instance.url}/v1/users`, { method: 'POST' })).body;
      expect(Date.parse(expiresAt) - Date.now() - DAY_MS).toBeCloseTo(offMs, -5);
      return instance;
    }),
  );
  const right = doors.splice(0, 1, ...off);
  // Nothing breaks: everybody books through these all the while.
  await whileBooking('clocks are 10 minutes off, both ways', async () => {});
  doors.splice(0, off.length, ...right);
});
