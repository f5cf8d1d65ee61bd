import { v7 as newId } from 'uuid';
import { expect, test } from 'vitest';
import { lineKey } from '#adapters/redis/keys.ts';
import { lineView } from '#adapters/redis/queue/line-view.ts';
import { redisWaitingRoom } from '#adapters/redis/queue/redis-queue.ts';
import { scripts } from '#adapters/redis/scripts.ts';
import { concertId, userId } from '#domain/ids.ts';
import { looseLines } from '#tests/fakes/loose-lines.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { until } from '#tests/support/until.ts';

const PEOPLE = 400;
const { redis } = await openRedis();

test('a survey that was answered before, and is read after more had ended, is not taken for one of another log', async () => {
  const room = redisWaitingRoom(redis, looseLines(), { rebuildSeconds: 60 });
  const concert = concertId(newId());
  const joins = Array.from({ length: PEOPLE }, () =>
    room.join(concert, userId(newId()), { waitingMax: PEOPLE, opening: 'fifo' }),
  );
  const claims = (await Promise.all(joins)).map(({ claim }) => claim);
  const last = claims.at(-1)?.sequence ?? 0;

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
  const view = lineView(
    held,
    concert,
    async () => {},
    () => {},
  );
  await until('positions are told from memory', async () => {
    await view.refresh();
    return view.farPositionOf(last) === PEOPLE;
  });

  const arriving = Promise.withResolvers<void>();
  arrival = arriving.promise;
  const survey = view.refresh();
  await redis.ping();
  for (const claim of claims.slice(300, 302)) await room.leave(claim);
  await view.hear(1, Buffer.byteLength((await redis.getBuffer(lineKey(concert, 'ended'))) ?? ''));
  arriving.resolve();
  await survey;

  expect(view.ended.countBetween(1, last)).toBe(2);
  // Two places that ended a moment ago are counted as over a moment later, as every other instance counts them.
  expect(view.farPositionOf(last)).toBe(PEOPLE);
});
