import { v7 as newId } from 'uuid';
import { describe, expect, test } from 'vitest';
import { queueKey } from '#adapters/redis/keys.ts';
import { memberOf } from '#adapters/redis/queue/member.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { type ConcertId, concertId, userId } from '#domain/ids.ts';
import { pollSecondsMax, type QueueEntry } from '#domain/queue/queue.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { passAtQueue, stepClock } from '#tests/support/queue-clock.ts';

// Clients that polled as told, and then nearly all of them at once do not: what is in front of the instances is down.

const PEOPLE = 400;
const ACTIVE_MAX = 20;
const policy = { ...POLICY, absentSeconds: 60, claimSeconds: 60, sessionSeconds: 300, graceSeconds: 30 };
const POLL_SECONDS = pollSecondsMax(policy);
/** Less than the time after which a queue that no instance serves stands still. */
const TICK_MS = 2_000;
/** As in queue/lua/silence.lua. */
const OUTAGE_MS_MAX = 600_000;
const OUTAGE_SECONDS = 900;
/** Real time adds to that of the queue, on a slow machine too. */
const SLOW_SECONDS = 20;

const { redis } = await openRedis();
const queue = redisQueue(redis, looseQueueRecords(), { rebuildSeconds: 60 });
const admit = (concert: ConcertId, activeMax = ACTIVE_MAX) => queue.admit(concert, { ...policy, activeMax });

/** The clocks go on while instances serve the queue. Returns what the admissions did meanwhile. */
async function serve(concert: ConcertId, seconds: number, activeMax = ACTIVE_MAX) {
  const sum = { admitted: 0, expired: 0, passedOver: 0 };
  for (let ms = 0; ms < seconds * 1_000; ms += TICK_MS) {
    await stepClock(redis, concert, TICK_MS);
    const { admitted, expired, passedOver } = await admit(concert, activeMax);
    sum.admitted += admitted;
    sum.expired += expired;
    sum.passedOver += passedOver;
  }
  return sum;
}

/** Joined some time ago, the first are active, and all have polled since. */
async function crowd(people = PEOPLE) {
  const concert = concertId(newId());
  const users = Array.from({ length: people }, () => userId(newId()));
  const joined = await Promise.all(
    users.map((user) => queue.join(concert, user, { waitingMax: people, opening: 'fifo' })),
  );
  const entries = joined.map(({ entry }) => entry).toSorted((a, b) => a.sequence - b.sequence);
  // Join times are by the clock of Redis, which a test cannot move.
  await redis.setrange(queueKey(concert, 'joined'), 0, Buffer.alloc(6 * people));
  await admit(concert);
  await Promise.all(entries.map(queue.find));
  await serve(concert, POLL_SECONDS / 2);
  await Promise.all(entries.map(queue.find));
  return { concert, entries };
}

const statesOf = (entries: readonly QueueEntry[]) => Promise.all(entries.map(queue.find));

describe('while nearly all clients are silent at once', () => {
  test.each([0, 3])('and %i of them are heard, no entry is passed over, and no session ends', async (heard) => {
    const { concert, entries } = await crowd();
    const before = await statesOf(entries);
    const others = entries.slice(PEOPLE - heard);
    // The sessions end, and there would be room.
    for (let seconds = 0; seconds < OUTAGE_SECONDS; seconds += POLL_SECONDS) {
      const { passedOver, expired } = await serve(concert, POLL_SECONDS);
      expect({ passedOver, expired }).toEqual({ passedOver: 0, expired: 0 });
      await statesOf(others);
    }

    const after = await statesOf(entries);
    const told = (states: typeof after) =>
      states.map((state) => (state.status === 'WAITING' ? state.position : state.status));
    expect(told(after)).toEqual(told(before));
  });

  test('they have a poll interval afterwards, in which no session ends and no entry is passed over', async () => {
    const { concert, entries } = await crowd();
    // The sessions would end a little after the outage is noticed.
    const served = Number(await redis.hget(queueKey(concert, 'clock'), 'served'));
    const ends = served + 1_000 * (POLL_SECONDS + SLOW_SECONDS);
    for (const { userId } of entries.slice(0, ACTIVE_MAX))
      await redis.zadd(queueKey(concert, 'active'), 'XX', ends, memberOf(userId));
    await serve(concert, OUTAGE_SECONDS);

    // Half of them are back first, the others poll as told. Before they do there is room.
    const [later, first] = [entries.slice(0, PEOPLE / 2), entries.slice(PEOPLE / 2)];
    await statesOf(first);
    await serve(concert, POLL_SECONDS - SLOW_SECONDS / 2);
    await statesOf(first);
    await admit(concert, 2 * ACTIVE_MAX);
    const statuses = (await statesOf(later)).map(({ status }) => status);
    expect(new Set(statuses.slice(0, 2 * ACTIVE_MAX))).toEqual(new Set(['ACTIVE']));
    expect((await queue.read(concert)).absent).toBe(0);
  });

  test('for longer than an outage lasts, they are absent', async () => {
    const { concert } = await crowd();
    await serve(concert, OUTAGE_SECONDS);
    await redis.hincrby(queueKey(concert, 'clock'), 'silent', -OUTAGE_MS_MAX);
    const { expired, passedOver } = await serve(concert, 2 * policy.sessionSeconds);
    expect(expired).toBe(ACTIVE_MAX);
    expect(passedOver).toBe(PEOPLE - ACTIVE_MAX);
  });
});

describe('is no outage, and is passed over:', () => {
  test('most of a crowd, while some poll as told', async () => {
    const { concert, entries } = await crowd();
    const present = entries.slice(PEOPLE - 20);
    let passedOver = 0;
    for (let seconds = 0; seconds < OUTAGE_SECONDS; seconds += POLL_SECONDS) {
      await statesOf(present);
      ({ passedOver } = await serve(concert, POLL_SECONDS));
      if (passedOver > 0) break;
    }
    expect(passedOver).toBeGreaterThan(0);
  });

  test('a crowd that never polled', async () => {
    const concert = concertId(newId());
    await Promise.all(
      Array.from({ length: PEOPLE }, () =>
        queue.join(concert, userId(newId()), { waitingMax: PEOPLE, opening: 'fifo' }),
      ),
    );
    await admit(concert, 1);
    await passAtQueue(redis, concert, (policy.absentSeconds + 2) * 1_000);
    expect(await admit(concert)).toMatchObject({ passedOver: PEOPLE - 1 });
  });
});
