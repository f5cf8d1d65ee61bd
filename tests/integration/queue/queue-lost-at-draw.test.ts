import { v7 as newId } from 'uuid';
import { expect, test } from 'vitest';
import { queueKeys } from '#adapters/redis/keys.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { concertId, userId } from '#domain/ids.ts';
import type { QueueClaim } from '#domain/queue/queue.ts';
import { looseLines } from '#tests/fakes/loose-lines.ts';
import { openRedis } from '#tests/support/open-redis.ts';

const PEOPLE = 20;
const { redis } = await openRedis();

test('a line lost as its draw goes on record keeps who registered, and no more than that', async () => {
  const concert = concertId(newId());
  const lines = looseLines();
  const room = redisQueue(redis, lines, { rebuildSeconds: 2 });
  const claims: QueueClaim[] = [];
  for (let person = 0; person < PEOPLE; person++) {
    const { claim } = await room.join(concert, userId(newId()), { waitingMax: PEOPLE, opening: 'lottery' });
    claims.push(claim);
  }
  const [left, stayed] = [claims.slice(0, PEOPLE / 2), claims.slice(PEOPLE / 2)];
  await Promise.all(left.map(room.leave));
  await room.read(concert);
  await lines.draw(concert, PEOPLE);
  await redis.unlink(queueKeys(concert));

  const standing = async (all: readonly QueueClaim[]) =>
    new Set((await Promise.all(all.map(room.find))).map(({ status }) => status));
  expect(await standing(stayed)).toEqual(new Set(['WAITING']));
  expect(await standing(left)).toEqual(new Set(['EXPIRED']));
  await room.refresh();
  expect(await standing(stayed)).toEqual(new Set(['WAITING']));
  expect(await standing(left)).toEqual(new Set(['EXPIRED']));
});
