import { v7 as newId } from 'uuid';
import { expect, test } from 'vitest';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import type { Concert } from '#domain/catalog/concert.ts';
import { type ConcertId, concertId, userId } from '#domain/ids.ts';
import type { Concerts } from '#ports/catalog/concerts.ts';
import { stageConcert } from '#tests/contracts/stage-concert.ts';
import { looseLines } from '#tests/fakes/loose-lines.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { recordLines } from '#use-cases/queue/record-queues.ts';

const PEOPLE = 120;
const { redis } = await openRedis();

const line = () => concertId(newId());

/** The concerts, of which this one is on sale. */
function onSale(concert: ConcertId): Concerts {
  const { dates: _, ...staged } = stageConcert(concert, Date.now());
  const listed: Concert = { ...staged, sales: 'OPEN', opensAt: staged.salesOpenAt, opened: true };
  return { ...memoryWorld().ports.concerts, listOnSale: async () => [listed] };
}

test('one run puts everything on record, also what happened to one place at a time', async () => {
  const concert = line();
  const lines = looseLines();
  const waitingRoom = redisQueue(redis, lines, { rebuildSeconds: 60 });
  for (let person = 0; person < PEOPLE; person++) {
    const { claim } = await waitingRoom.join(concert, userId(newId()), { waitingMax: PEOPLE, opening: 'fifo' });
    await waitingRoom.leave(claim);
  }
  await recordLines({ concerts: onSale(concert), waitingRoom, lines });
  expect([...lines.of(concert).events.values()].map(({ kind, sequence }) => [kind, sequence])).toEqual(
    Array.from({ length: PEOPLE }, (_, index) => ['left', index + 1]),
  );
  expect(await waitingRoom.takeEvents(concert, 1)).toEqual([]);
});

test('who left before lots were drawn is on record with a time of their own, or none', async () => {
  const concert = line();
  const waitingRoom = redisQueue(redis, looseLines(), { rebuildSeconds: 60 });
  const join = () => waitingRoom.join(concert, userId(newId()), { waitingMax: PEOPLE, opening: 'lottery' });
  const { claim } = await join();
  for (let person = 1; person < PEOPLE; person++) await join();
  await waitingRoom.leave(claim);
  await waitingRoom.drawLots(concert);
  expect(await waitingRoom.takeEvents(concert, 1)).toMatchObject([{ kind: 'left', sequence: 1, joinedAt: undefined }]);
});
