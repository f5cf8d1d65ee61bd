import { v7 as newId } from 'uuid';
import { expect, test } from 'vitest';
import { queueKey } from '#adapters/redis/keys.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { type ConcertId, concertId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { passAtQueue } from '#tests/support/queue-clock.ts';

// Redis or all instances were away, and nobody could ask: that nobody has says nothing of who is still there.

const ABSENT_SECONDS = 60;
const GRACE_SECONDS = 600;
/** As the policy of these tests has it. */
const SESSION_MS = POLICY.sessionSeconds * 1_000;
const AWAY_MS = 3 * ABSENT_SECONDS * 1_000;
const { redis } = await openRedis();

const room = redisQueue(redis, looseQueueRecords(), { rebuildSeconds: 60 });
const admit = (concert: ConcertId, activeMax: number) =>
  room.admit(concert, {
    ...POLICY,
    activeMax,
    absentSeconds: ABSENT_SECONDS,
    claimSeconds: 3_600,
    graceSeconds: GRACE_SECONDS,
  });

/** Time goes by in which no instance reaches the line. */
async function isAway(concert: ConcertId, milliseconds: number): Promise<void> {
  await passAtQueue(redis, concert, milliseconds);
  for (const field of ['served', 'resumed']) {
    const at = await redis.hget(queueKey(concert, 'pace'), field);
    if (at !== null) await redis.hincrby(queueKey(concert, 'pace'), field, -milliseconds);
  }
}

async function joined(count: number) {
  const concert = concertId(newId());
  const entries: QueueEntry[] = [];
  for (let person = 0; person < count; person++) {
    entries.push((await room.join(concert, userId(newId()), { waitingMax: 100, opening: 'fifo' })).entry);
  }
  await admit(concert, 1);
  return { concert, entries };
}

test('passes over no entry for silence while no client could poll', async () => {
  const { concert, entries } = await joined(4);
  await isAway(concert, AWAY_MS);
  expect(await admit(concert, 3)).toMatchObject({ admitted: 2, passedOver: 0 });
  // And again, before everybody has had the time to ask.
  await isAway(concert, AWAY_MS);
  expect(await admit(concert, 10)).toMatchObject({ passedOver: 0 });
  expect(await Promise.all(entries.map(room.find))).not.toContainEqual({ status: 'EXPIRED' });
});

test('extends, once, a session that expired while nobody could use it, and no other', async () => {
  const { concert, entries } = await joined(2);
  const [inside] = entries as [QueueEntry, QueueEntry];
  expect(await room.find(inside)).toMatchObject({ status: 'ACTIVE' });
  // The line is out of reach for twice as long as a session lasts.
  await isAway(concert, 2 * SESSION_MS);
  expect(await admit(concert, 1)).toMatchObject({ admitted: 0, expired: 0, active: 1 });
  const state = await room.find(inside);
  expect(state).toMatchObject({ status: 'ACTIVE' });
  if (state.status !== 'ACTIVE') throw new RangeError();
  expect(state.expiresAt.getTime() - Date.now()).toBeLessThanOrEqual(SESSION_MS);
  expect(state.expiresAt.getTime() - Date.now()).toBeGreaterThan(SESSION_MS - 60_000);
  await passAtQueue(redis, concert, SESSION_MS + 1_000);
  expect(await admit(concert, 1)).toMatchObject({ expired: 1 });
  expect(await room.find(inside)).toEqual({ status: 'EXPIRED' });
});

test('passes over entries that were absent before, and those that do not poll afterwards', async () => {
  const { concert, entries } = await joined(3);
  await passAtQueue(redis, concert, (ABSENT_SECONDS + 5) * 1_000);
  const [, , third] = entries;
  if (third === undefined) throw new RangeError();
  await room.find(third);
  await isAway(concert, AWAY_MS);
  expect(await admit(concert, 2)).toMatchObject({ passedOver: 1 });

  const other = await joined(3);
  await isAway(other.concert, AWAY_MS);
  await admit(other.concert, 1);
  const pace = queueKey(other.concert, 'pace');
  await passAtQueue(redis, other.concert, (ABSENT_SECONDS + 5) * 1_000);
  await redis.hincrby(pace, 'resumed', -(ABSENT_SECONDS + 5) * 1_000);
  expect(await admit(other.concert, 5)).toMatchObject({ passedOver: 2 });
});

test('ends no absent entry whose grace time expired while no client could return', async () => {
  const { concert, entries } = await joined(2);
  const [, silent] = entries as [QueueEntry, QueueEntry];
  await passAtQueue(redis, concert, (ABSENT_SECONDS + 5) * 1_000);
  expect(await admit(concert, 2)).toMatchObject({ passedOver: 1 });
  await isAway(concert, (GRACE_SECONDS + 5) * 1_000);
  await admit(concert, 1);
  expect(await room.find(silent)).toMatchObject({ status: 'WAITING', position: 1 });
});
