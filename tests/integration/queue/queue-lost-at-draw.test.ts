import { v7 as newId } from 'uuid';
import { expect, test } from 'vitest';
import { queueKeys } from '#adapters/redis/keys.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { concertId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { openRedis } from '#tests/support/open-redis.ts';

const PEOPLE = 20;
const { redis } = await openRedis();

test('a queue lost while its draw is recorded keeps the registered entries, and no others', async () => {
  const concert = concertId(newId());
  const queueRecords = looseQueueRecords();
  const room = redisQueue(redis, queueRecords, { rebuildSeconds: 2 });
  const entries: QueueEntry[] = [];
  for (let person = 0; person < PEOPLE; person++) {
    const { entry } = await room.join(concert, userId(newId()), { waitingMax: PEOPLE, opening: 'lottery' });
    entries.push(entry);
  }
  const [left, stayed] = [entries.slice(0, PEOPLE / 2), entries.slice(PEOPLE / 2)];
  await Promise.all(left.map(room.leave));
  await room.read(concert);
  await queueRecords.draw(concert, PEOPLE);
  await redis.unlink(queueKeys(concert));

  const queueStatus = async (all: readonly QueueEntry[]) =>
    new Set((await Promise.all(all.map(room.find))).map(({ status }) => status));
  expect(await queueStatus(stayed)).toEqual(new Set(['WAITING']));
  expect(await queueStatus(left)).toEqual(new Set(['EXPIRED']));
  await room.refresh();
  expect(await queueStatus(stayed)).toEqual(new Set(['WAITING']));
  expect(await queueStatus(left)).toEqual(new Set(['EXPIRED']));
});
