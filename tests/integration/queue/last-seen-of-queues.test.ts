import { v7 as newId } from 'uuid';
import { expect, test } from 'vitest';
import { queueKey } from '#adapters/redis/keys.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { concertId, userId } from '#domain/ids.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { passAtQueue } from '#tests/support/queue-clock.ts';
import { until } from '#tests/support/until.ts';

const ABSENT_SECONDS = 60;
/** Far enough from the front to be told at a glance. */
const PEOPLE = 300;
const { redis } = await openRedis();

const room = redisQueue(redis, looseQueueRecords(), { rebuildSeconds: 60 });

async function lastOfLine() {
  const concert = concertId(newId());
  const all = Array.from({ length: PEOPLE }, () =>
    room.join(concert, userId(newId()), { waitingMax: PEOPLE, opening: 'fifo' }),
  );
  const joined = await Promise.all(all);
  return joined.map(({ entry }) => entry).reduce((one, other) => (one.sequence > other.sequence ? one : other));
}

test('a queue whose last-seen times cannot be written costs no entry of another queue its place', async () => {
  const [broken, whole] = [await lastOfLine(), await lastOfLine()];
  await passAtQueue(redis, whole.concertId, (ABSENT_SECONDS + 5) * 1_000);
  // The broken line first: whoever is noted first is written down first.
  for (const entry of [broken, whole]) {
    await until('the position comes from memory', async () => {
      await room.refresh();
      const state = room.recall(entry);
      return state?.status === 'WAITING' && state.position === PEOPLE;
    });
  }
  const seen = queueKey(broken.concertId, 'last-seen');
  await redis.del(seen);
  await redis.lpush(seen, 'not a string');

  await expect(room.writeLastSeen()).rejects.toThrow('WRONGTYPE');
  const policy = { ...POLICY, activeMax: PEOPLE, absentSeconds: ABSENT_SECONDS };
  expect(await room.admit(whole.concertId, policy)).toMatchObject({ admitted: 1, passedOver: PEOPLE - 1 });
  expect(await room.find(whole)).toMatchObject({ status: 'ACTIVE' });
});
