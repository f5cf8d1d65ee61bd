import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { setStage, TOLD_SOON_PROMISED_MS } from './stage.ts';

const { redis, whileBooking } = await setStage();

test('a killed Redis interrupts the service only while it is away', async () => {
  const { unclear } = await whileBooking(
    'Redis is killed, back after 3 s',
    async (aWhile) => {
      await redis.kill();
      await aWhile().finally(redis.restart);
    },
    TOLD_SOON_PROMISED_MS,
  );
  expect(unclear).toBeGreaterThan(0);
});

test('a frozen Redis interrupts the service only while it is frozen', async () => {
  const { unclear } = await whileBooking(
    'Redis is frozen for 3 s',
    async (aWhile) => {
      redis.freeze();
      await aWhile().finally(redis.thaw);
    },
    TOLD_SOON_PROMISED_MS,
  );
  expect(unclear).toBeGreaterThan(0);
});

test('a Redis that has lost all data is restored', async () => {
  const admin = new Redis(redis.url);
  const { unclear } = await whileBooking('Redis forgets everything', async () => {
    await admin.flushall();
  });
  expect(unclear).toBeGreaterThan(0);
  admin.disconnect();
});
