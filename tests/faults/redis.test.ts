import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { brokenForAWhile, setStage, TOLD_SOON_MS_MAX } from './stage.ts';

const { redis, whileBooking } = await setStage();

test('a Redis that is killed and comes back is missed for as long as it is away', async () => {
  const { unclear, toldAfterMs } = await whileBooking('Redis is killed, back after 3 s', async () => {
    await redis.kill();
    await brokenForAWhile().finally(redis.restart);
  });
  expect(unclear).toBeGreaterThan(0);
  expect(toldAfterMs).toBeLessThan(TOLD_SOON_MS_MAX);
});

test('a Redis that is frozen is missed for as long as it is', async () => {
  const { unclear, toldAfterMs } = await whileBooking('Redis is frozen for 3 s', async () => {
    redis.freeze();
    await brokenForAWhile().finally(redis.thaw);
  });
  expect(unclear).toBeGreaterThan(0);
  expect(toldAfterMs).toBeLessThan(TOLD_SOON_MS_MAX);
});

test('a Redis that has forgotten everything is told', async () => {
  const admin = new Redis(redis.url);
  const { unclear } = await whileBooking('Redis forgets everything', async () => {
    await admin.flushall();
  });
  expect(unclear).toBeGreaterThan(0);
  admin.disconnect();
});
