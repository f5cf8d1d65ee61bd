import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import { connectRedis } from '#adapters/redis/client/connect-redis.ts';
import { queueKey, queueKeys } from '#adapters/redis/keys.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { concertId, userId } from '#domain/ids.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { queueContract } from '#tests/contracts/queue-contract.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { passAtQueue } from '#tests/support/queue-clock.ts';

const { redis } = await openRedis();

const open = () => redisQueue(redis, looseQueueRecords(), { rebuildSeconds: 60 });

queueContract(() => ({
  queue: open(),
  passes: (concert, milliseconds) => passAtQueue(redis, concert, milliseconds),
}));

describe('the keys of a queue', () => {
  const WEEK_MS = 7 * 86_400_000;
  const MINUTE_MS = 60_000;
  const queue = open();
  /** Of a line that was lost, and of one whose lots are drawn. */
  const OF_OTHER_LINES = /:(rebuild|draw|registered.*)$/;
  const newLine = () => concertId(newId());
  const times = (keys: readonly string[]) => Promise.all(keys.map((key) => redis.pttl(key)));

  it('are kept for a week after the last admission, and no longer', async () => {
    const concert = newLine();
    const keys = queueKeys(concert).filter((key) => !OF_OTHER_LINES.test(key));
    const join = () => queue.join(concert, userId(newId()), { waitingMax: 10, opening: 'fifo' });
    const admit = () => queue.admit(concert, { ...POLICY, activeMax: 1, absentSeconds: 60 });
    // Two are passed over, of whom one comes back; one is in, and one waits: then there is every key of a line.
    const { entry } = await join();
    await join();
    await passAtQueue(redis, concert, 2 * MINUTE_MS);
    await join();
    await join();
    await admit();
    await queue.find(entry);
    await queue.leave((await join()).entry);
    expect(await redis.exists(...keys)).toBe(keys.length);

    for (let minutes = 0; minutes < 2; minutes++) {
      await admit();
      for (const left of await times(keys)) {
        expect(left).toBeGreaterThan(WEEK_MS - MINUTE_MS);
        expect(left).toBeLessThanOrEqual(WEEK_MS);
      }
      // A minute and more goes by.
      for (const key of keys) await redis.pexpire(key, WEEK_MS - 2 * MINUTE_MS);
    }
  });
});

describe('a queue without sequences left', () => {
  // The next join time would not fit into a string of Redis any more.
  const LAST_NUMBER = Math.floor((512 * 1_024 * 1_024) / 6);

  it('is full, and stays as it is', async () => {
    const concert = concertId(newId());
    const join = () => open().join(concert, userId(newId()), { waitingMax: 10, opening: 'fifo' });
    await join();
    await redis.set(queueKey(concert, 'sequence'), LAST_NUMBER);
    await expectRefusal(join(), 'queue-full');
    expect(await redis.get(queueKey(concert, 'sequence'))).toBe(String(LAST_NUMBER));
    expect(await redis.zcard(queueKey(concert, 'waiting'))).toBe(1);
  });
});

describe('an unreachable queue', () => {
  it('refuses every call as unavailable', async () => {
    const away = await connectRedis({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 60_000 }, () => {});
    const room = redisQueue(away.redis, looseQueueRecords(), { rebuildSeconds: 60 });
    const { join, find, keepOpen, extend, leave, read, survey, admit, drawLots, takeEvents } = room;
    const id = { userId: userId(newId()), concertId: concertId(newId()) };
    const state = { ...id, sequence: 1, epoch: 'AAAAAAAA', joinedAt: new Date() };
    expect(room.recall(state)).toBeUndefined();
    const calls = [
      join(state.concertId, state.userId, { waitingMax: 1, opening: 'fifo' }),
      find(state),
      keepOpen(state),
      extend(state, 1),
      leave(state),
      read(state.concertId),
      survey(state.concertId),
      drawLots(state.concertId),
      takeEvents(state.concertId, 1),
      admit(state.concertId, POLICY),
    ];
    await Promise.all(calls.map((call) => expectRefusal(call, 'unavailable')));
    await away.close();
  });
});
