import { v7 as newId } from 'uuid';
import { expect, test } from 'vitest';
import { queueKey } from '#adapters/redis/keys.ts';
import { queueView } from '#adapters/redis/queue/queue-view.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { scripts } from '#adapters/redis/scripts.ts';
import { concertId, type UserId, userId } from '#domain/ids.ts';
import type { Joined, Queue } from '#ports/queue/queue.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { until } from '#tests/support/until.ts';

const PEOPLE = 400;
const { redis } = await openRedis();

test('a survey answered before more entries ended, and read afterwards, is not mistaken for another log', async () => {
  const records = looseQueueRecords();
  const room = redisQueue(redis, records, { rebuildSeconds: 60 });
  const concert = concertId(newId());
  const joins = Array.from({ length: PEOPLE }, () =>
    room.join(concert, userId(newId()), { waitingMax: PEOPLE, opening: 'fifo' }),
  );
  const entries = (await Promise.all(joins)).map(({ entry }) => entry);
  const last = entries.at(-1)?.sequence ?? 0;

  // Answers of surveys are on the way for as long as we say.
  let arrival = Promise.resolve();
  const held = Object.create(redis, {
    [scripts.survey.name]: {
      value: async (...values: unknown[]) => {
        const reply = await Reflect.get(redis, scripts.survey.name).apply(redis, values);
        await arrival;
        return reply;
      },
    },
  });
  const view = queueView(
    held,
    records,
    concert,
    { rebuildMs: 60_000, reportMs: 5_000 },
    {
      open: async () => {},
      onSurvey: () => {},
    },
  );
  await until('positions come from memory', async () => {
    await view.refresh();
    return view.farPositionOf(last) === PEOPLE;
  });

  const arriving = Promise.withResolvers<void>();
  arrival = arriving.promise;
  const survey = view.refresh();
  await redis.ping();
  for (const entry of entries.slice(300, 302)) await room.leave(entry);
  await view.noteHead(1, Buffer.byteLength((await redis.getBuffer(queueKey(concert, 'ended'))) ?? ''));
  arriving.resolve();
  await survey;

  expect(view.endedEntries().countBetween(1, last)).toBe(2);
  expect(view.farPositionOf(last)).toBe(PEOPLE - 2);
});

test('an instance whose first call for a queue is a join returns a position without ended entries', async () => {
  const records = looseQueueRecords();
  const [first, other] = [1, 2].map(() => redisQueue(redis, records, { rebuildSeconds: 60 })) as [Queue, Queue];
  const concert = concertId(newId());
  const policy = { waitingMax: PEOPLE, opening: 'fifo' } as const;
  const users = Array.from({ length: 10 }, () => userId(newId()));
  const joined: Joined[] = [];
  for (const user of users) joined.push(await first.join(concert, user, policy));
  for (const { entry } of joined.slice(1, 5)) await first.leave(entry);

  const again = await other.join(concert, users.at(-1) as UserId, policy);
  expect(again).toMatchObject({ fresh: false, state: { status: 'WAITING', position: 6 } });
});
