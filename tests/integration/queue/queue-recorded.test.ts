import { v7 as newId } from 'uuid';
import { expect, test } from 'vitest';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import type { Concert } from '#domain/catalog/concert.ts';
import { type ConcertId, concertId, userId } from '#domain/ids.ts';
import type { Concerts } from '#ports/catalog/concerts.ts';
import { stageConcert } from '#tests/contracts/stage-concert.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { recordQueues } from '#use-cases/queue/record-queues.ts';

const PEOPLE = 120;
const { redis } = await openRedis();

const line = () => concertId(newId());

/** The concerts, of which this one is on sale. */
function onSale(concert: ConcertId): Concerts {
  const { dates: _, ...staged } = stageConcert(concert, Date.now());
  const listed: Concert = { ...staged, sales: 'OPEN', opensAt: staged.salesOpenAt, opened: true, opensInSeconds: 0 };
  return { ...memoryWorld().ports.concerts, listServed: async () => [listed] };
}

test('one run records everything, also events of single entries', async () => {
  const concert = line();
  const queueRecords = looseQueueRecords();
  const queue = redisQueue(redis, queueRecords, { rebuildSeconds: 60 });
  for (let person = 0; person < PEOPLE; person++) {
    const { entry } = await queue.join(concert, userId(newId()), { waitingMax: PEOPLE, opening: 'fifo' });
    await queue.leave(entry);
  }
  await recordQueues({ concerts: onSale(concert), queue, queueRecords });
  expect([...queueRecords.of(concert).events.values()].map(({ kind, sequence }) => [kind, sequence])).toEqual(
    Array.from({ length: PEOPLE }, (_, index) => ['left', index + 1]),
  );
  expect(await queue.takeEvents(concert, 1)).toEqual([]);
});

test('an entry that left before the draw is on record with its own join time, or none', async () => {
  const concert = line();
  const queue = redisQueue(redis, looseQueueRecords(), { rebuildSeconds: 60 });
  const join = () => queue.join(concert, userId(newId()), { waitingMax: PEOPLE, opening: 'lottery' });
  const { entry } = await join();
  for (let person = 1; person < PEOPLE; person++) await join();
  await queue.leave(entry);
  await queue.drawLots(concert);
  expect(await queue.takeEvents(concert, 1)).toMatchObject([{ kind: 'left', sequence: 1, joinedAt: undefined }]);
});
