import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { RedisConnection } from '#adapters/redis/client/connect-redis.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { concertId } from '#domain/ids.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';

/** Every command on this connection is refused, at once, and one can let go of it. */
export async function expectUnreachable(connection: RedisConnection): Promise<void> {
  const room = redisQueue(connection.redis, looseQueueRecords(), { rebuildSeconds: 60 });
  await expectRefusal(room.read(concertId(randomUUID())), 'unavailable');
  await expectRefusal(connection.ping(), 'unavailable');
  const subscription = await connection.subscribe('nobody', () => {});
  await subscription.stop();
  await expect(connection.close()).resolves.toBeUndefined();
}
