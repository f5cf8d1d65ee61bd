import { v7 as newId } from 'uuid';
import { afterAll, describe, inject, it } from 'vitest';
import { connectRedis } from '#adapters/redis/client.ts';
import { lineKeys } from '#adapters/redis/keys.ts';
import { redisWaitingRoom } from '#adapters/redis/waiting-room.ts';
import { type ConcertId, concertId, userId } from '#domain/ids.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { waitingRoomContract } from '#tests/contracts/waiting-room-contract.ts';

const { redis, close } = await connectRedis({ url: inject('redisUrl'), commandTimeoutMs: 5_000 }, raise);
afterAll(close);

/** Moves what is written down about a line into the past, instead of waiting. */
async function passes(concert: ConcertId, milliseconds: number): Promise<void> {
  const { active, sessions, pace } = lineKeys(concert);
  for (const user of await redis.zrange(active, '0', '-1')) await redis.zincrby(active, -milliseconds, user);
  for (const [user, session] of Object.entries(await redis.hgetall(sessions))) {
    const [sequence, ends] = session.split(':');
    await redis.hset(sessions, user, `${sequence}:${Number(ends) - milliseconds}`);
  }
  if ((await redis.hexists(pace, 'at')) === 1) await redis.hincrby(pace, 'at', -milliseconds);
}

waitingRoomContract(() => ({ waitingRoom: redisWaitingRoom(redis), passes }));

describe('a line that cannot be reached', () => {
  it('refuses every call as unavailable', async () => {
    const away = await connectRedis({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 1_000 }, () => {});
    const { join, find, settle, extend, leave, admit } = redisWaitingRoom(away.redis);
    const place = { userId: userId(newId()), concertId: concertId(newId()), sequence: 1, epoch: 'AAAAAAAA' };
    const calls = [
      join(place.concertId, place.userId, { waitingMax: 1 }),
      find(place),
      settle(place),
      extend(place, 1),
      leave(place),
      admit(place.concertId, { activeMax: 1, sessionSeconds: 1 }),
    ];
    await Promise.all(calls.map((call) => expectRefusal(call, 'unavailable')));
    await away.close();
  });
});

function raise(error: Error): never {
  throw error;
}
