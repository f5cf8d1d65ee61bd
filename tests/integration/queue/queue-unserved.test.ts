import { v7 as newId } from 'uuid';
import { describe, expect, test } from 'vitest';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { type ConcertId, concertId, userId } from '#domain/ids.ts';
import type { EntryState, QueueEntry } from '#domain/queue/queue.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { passAtQueue, stepClock } from '#tests/support/queue-clock.ts';

// Redis or all instances were away, or the clock of Redis stepped, as with a new primary: nobody could ask, and that says nothing
// of who is still there. To the queue an outage and a step forward are the same.

const ABSENT_SECONDS = 60;
const GRACE_SECONDS = 600;
/** As the policy of these tests has it. */
const SESSION_MS = POLICY.sessionSeconds * 1_000;
/** Further than any time of these tests. */
const FAR_MS = 10 * Math.max(SESSION_MS, GRACE_SECONDS * 1_000);
/** More than one run of the admission script takes. */
const CROWD = 2_500;
const { redis } = await openRedis();

const room = redisQueue(redis, looseQueueRecords(), { rebuildSeconds: 60 });
const admit = (concert: ConcertId, activeMax: number, more: Partial<typeof POLICY> = {}) =>
  room.admit(concert, {
    ...POLICY,
    activeMax,
    absentSeconds: ABSENT_SECONDS,
    claimSeconds: 3_600,
    graceSeconds: GRACE_SECONDS,
    ...more,
  });

async function joined(count: number) {
  const concert = concertId(newId());
  const joining = Array.from({ length: count }, () =>
    room.join(concert, userId(newId()), { waitingMax: CROWD, opening: 'fifo' }),
  );
  const entries = (await Promise.all(joining)).map(({ entry }) => entry);
  await admit(concert, 1);
  return { concert, entries };
}

function leftMs(state: EntryState): number {
  if (state.status !== 'ACTIVE') throw new RangeError(`it is ${state.status}`);
  return state.expiresAt.getTime() - Date.now();
}

/** Clocks are read before and after. */
const MARGIN_MS = 60_000;
/** As in queue/lua/silence.lua: time goes on from its last note, so that a step gives back up to this. */
const NOTED_MS = 1_000;

describe.each([
  ['no instance serves the queue for a long time, or the clock of Redis steps forward', FAR_MS],
  ['the clock of Redis steps back', -FAR_MS],
])('while %s', (_, stepMs) => {
  test('no session ends, however many there are, and each has the time left that it had', async () => {
    const { concert, entries } = await joined(CROWD);
    while ((await admit(concert, CROWD)).active < CROWD);
    await passAtQueue(redis, concert, SESSION_MS - 2 * MARGIN_MS);
    await stepClock(redis, concert, stepMs);

    // Before any instance serves the queue again, and afterwards.
    const before = await Promise.all(entries.map(room.find));
    expect(await admit(concert, CROWD)).toMatchObject({ expired: 0, active: CROWD });
    expect(await admit(concert, CROWD)).toMatchObject({ expired: 0, active: CROWD });
    const after = await Promise.all(entries.map(room.find));
    for (const state of [...before, ...after]) {
      expect(leftMs(state)).toBeGreaterThan(MARGIN_MS);
      expect(leftMs(state)).toBeLessThanOrEqual(2 * MARGIN_MS + NOTED_MS);
    }

    await passAtQueue(redis, concert, 2 * MARGIN_MS);
    expect((await admit(concert, CROWD)).expired).toBeGreaterThan(0);
  });

  test('no entry is passed over for silence, and one that was silent long enough before is', async () => {
    const { concert, entries } = await joined(4);
    const [, , third, fourth] = entries as [QueueEntry, QueueEntry, QueueEntry, QueueEntry];
    await passAtQueue(redis, concert, (ABSENT_SECONDS - 10) * 1_000);
    await Promise.all([third, fourth].map(room.find));
    await stepClock(redis, concert, stepMs);
    expect(await admit(concert, 2)).toMatchObject({ admitted: 1, passedOver: 0 });
    await passAtQueue(redis, concert, (ABSENT_SECONDS - 10) * 1_000);
    await room.find(fourth);
    await stepClock(redis, concert, stepMs);
    await passAtQueue(redis, concert, 20_000);
    expect(await admit(concert, 3)).toMatchObject({ admitted: 1, passedOver: 1 });
    expect(await room.find(third)).toMatchObject({ status: 'WAITING', position: 1 });
  });

  test('an absent entry keeps what is left of its grace time', async () => {
    const { concert, entries } = await joined(2);
    const [, silent] = entries as [QueueEntry, QueueEntry];
    await passAtQueue(redis, concert, (ABSENT_SECONDS + 5) * 1_000);
    expect(await admit(concert, 2)).toMatchObject({ passedOver: 1 });
    await passAtQueue(redis, concert, (GRACE_SECONDS - 60) * 1_000);
    await stepClock(redis, concert, stepMs);
    await admit(concert, 1);
    await passAtQueue(redis, concert, 30_000);
    await admit(concert, 1);
    expect((await room.read(concert)).absent, 'half of what is left').toBe(1);
    await passAtQueue(redis, concert, 40_000);
    await admit(concert, 1);
    expect(await room.find(silent), 'all of it').toEqual({ status: 'EXPIRED' });
  });

  test('a window admits as many as before, and no more', async () => {
    const windowed = { admitPerWindow: 2, windowSeconds: 20 };
    const { concert } = await joined(9);
    expect(await admit(concert, 9, windowed)).toMatchObject({ admitted: 1 });
    await passAtQueue(redis, concert, 10_000);
    await stepClock(redis, concert, stepMs);
    expect(await admit(concert, 9, windowed)).toMatchObject({ admitted: 0 });
    await passAtQueue(redis, concert, 15_000);
    expect(await admit(concert, 9, windowed)).toMatchObject({ admitted: 2 });
  });

  test('the turnover stays as it was', async () => {
    const { concert, entries } = await joined(20);
    await admit(concert, 10);
    for (const entry of entries.slice(0, 5)) await room.leave(entry);
    await admit(concert, 10);
    const { turnover } = await room.read(concert);
    expect(turnover).toBeGreaterThan(0);
    await stepClock(redis, concert, stepMs);
    const { turnover: later } = await room.read(concert);
    expect(later).toBeGreaterThan(0.8 * turnover);
    expect(later).toBeLessThanOrEqual(1.05 * turnover);
  });
});

test('a session ends and an entry is passed over in time after an outage', async () => {
  const { concert, entries } = await joined(2);
  const [inside] = entries as [QueueEntry, QueueEntry];
  await room.find(inside);
  await stepClock(redis, concert, FAR_MS);
  await admit(concert, 1);
  await passAtQueue(redis, concert, SESSION_MS + 1_000);
  expect(await admit(concert, 1)).toMatchObject({ expired: 1, passedOver: 1 });
  expect(await room.find(inside)).toEqual({ status: 'EXPIRED' });
});
