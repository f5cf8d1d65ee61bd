import { v7 as newId } from 'uuid';
import { expect, test } from 'vitest';
import { queueKey, queueKeys } from '#adapters/redis/keys.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { concertId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { Queue } from '#ports/queue/queue.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { endRebuild, passAtQueue } from '#tests/support/queue-clock.ts';

// Redis has an older memory of a queue: a replica that missed the last moments, or a server started with an older snapshot. Or
// it has lost a part of one.

/** No test waits for it. */
const REBUILD_SECONDS = 600;
const ABSENT_SECONDS = 60;
const { redis } = await openRedis();

function stage() {
  const concert = concertId(newId());
  const records = looseQueueRecords();
  const instance = () => redisQueue(redis, records, { rebuildSeconds: REBUILD_SECONDS });
  async function join(room: Queue): Promise<QueueEntry> {
    return (await room.join(concert, userId(newId()), { waitingMax: 10_000, opening: 'fifo' })).entry;
  }
  return {
    concert,
    records,
    instance,
    join,
    async joinAll(room: Queue, count: number): Promise<QueueEntry[]> {
      const entries: QueueEntry[] = [];
      while (entries.length < count) entries.push(await join(room));
      return entries;
    },
    admit: (room: Queue, activeMax: number) =>
      room.admit(concert, { ...POLICY, activeMax, absentSeconds: ABSENT_SECONDS, claimSeconds: 3_600 }),
    /** Returns what takes the queue back to the present moment, on another server. */
    async snapshot(): Promise<() => Promise<void>> {
      const keys = queueKeys(concert);
      const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
      return async () => {
        const restoring = redis.multi().unlink(keys);
        for (const [index, dump] of dumps.entries()) if (dump !== null) restoring.restore(keys[index] ?? '', 0, dump);
        await restoring.hset(queueKey(concert, 'clock'), 'server', 'another').exec();
      };
    },
    async admittedOnRecord(room: Queue): Promise<number[]> {
      const events = await room.takeEvents(concert, 1_000);
      return events.filter(({ kind }) => kind === 'admitted').map(({ sequence }) => sequence);
    },
  };
}

const statesOf = (room: Queue, entries: readonly QueueEntry[]) =>
  Promise.all(
    entries.map(async (entry) => {
      const state = await room.find(entry);
      return state.status === 'WAITING' ? state.position : state.status;
    }),
  );

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

test.concurrent('after a restart with an older snapshot no sequence is drawn twice, and no newcomer is admitted before the entries that it lacks', async () => {
  const { concert, records, instance, join, joinAll, admit, snapshot, admittedOnRecord } = stage();
  const before = instance();
  await joinAll(before, 5);
  const restore = await snapshot();
  const missing = await joinAll(before, 10);
  await records.note(concert, { drawn: 15, head: 1 });
  await restore();

  const room = instance();
  const newcomer = await join(room);
  expect(newcomer.sequence).toBe(16);
  // Whoever stands before the missing ones is admitted at once.
  await admit(room, 100);
  expect(await admittedOnRecord(room)).toEqual(upTo(5));
  expect(await statesOf(room, missing.toReversed())).toEqual(upTo(10).toReversed());
  expect(await statesOf(room, [newcomer])).toEqual([11]);
  await endRebuild(redis, concert);
  await admit(room, 100);
  expect(await admittedOnRecord(room)).toEqual(upTo(16));
});

test.concurrent('a number that only another instance knows is not drawn again on a new server', async () => {
  const { instance, join, joinAll, snapshot } = stage();
  const [knowing, other] = [instance(), instance()];
  await joinAll(other, 5);
  const restore = await snapshot();
  await joinAll(knowing, 3);
  await restore();

  const joining = join(other);
  // As its regular survey does, within the time for reports.
  await knowing.refresh();
  expect((await joining).sequence).toBe(9);
});

test.concurrent('a token with a number that nothing else shows is taken for what it is', async () => {
  const { instance, join, joinAll, snapshot } = stage();
  const before = instance();
  await joinAll(before, 2);
  const restore = await snapshot();
  const [last] = await joinAll(before, 1);
  await restore();

  const room = instance();
  expect(await statesOf(room, [last as QueueEntry])).toEqual([3]);
  expect((await join(room)).sequence).toBe(4);
});

test.concurrent('a session that was paid or left does not come back, and others go on', async () => {
  const { concert, records, instance, joinAll, admit, snapshot } = stage();
  const [one, other] = [instance(), instance()];
  const entries = await joinAll(one, 4);
  const [paid, left, active, waiting] = entries as [QueueEntry, QueueEntry, QueueEntry, QueueEntry];
  await admit(one, 3);
  const restore = await snapshot();
  await one.leave(paid);
  records.change(concert, { paid: [paid.sequence] });
  await one.leave(left);
  await one.refresh();
  await restore();

  // A new instance knows of the payment by the record; who left is known where it was seen.
  expect(await statesOf(instance(), [paid])).toEqual(['EXPIRED']);
  expect(await statesOf(one, [left, active, waiting])).toEqual(['EXPIRED', 'ACTIVE', 1]);
  expect(await statesOf(other, [left, active])).toEqual(['EXPIRED', 'ACTIVE']);
  expect((await admit(other, 3)).admitted).toBe(1);
});

/** A queue with an entry of each kind. */
async function staged() {
  const all = stage();
  const { concert, instance, joinAll, admit } = all;
  const room = instance();
  const entries = await joinAll(room, 9);
  await admit(room, 1);
  const [, absent, rejoined] = entries as [QueueEntry, QueueEntry, QueueEntry];
  await room.leave(entries[8] as QueueEntry);
  await passAtQueue(redis, concert, (ABSENT_SECONDS + 5) * 1_000);
  const waiting = entries.slice(3, 8);
  await statesOf(room, [entries[0] as QueueEntry, ...waiting]);
  expect(await admit(room, 2)).toMatchObject({ passedOver: 2, admitted: 1 });
  await room.find(rejoined);
  return { ...all, room, absent, rejoined, active: entries[3] as QueueEntry, waiting: waiting.slice(1) };
}

const SETS = ['waiting', 'absent', 'absent-numbers', 'rejoined', 'active', 'sessions', 'admissions'] as const;
const OTHERS = ['epoch', 'sequence', 'joined', 'last-seen', 'granted', 'pace', 'clock', 'ended'] as const;

async function losePart(name: (typeof SETS | typeof OTHERS)[number]): Promise<void> {
  const { concert, records, room, instance, join, absent, rejoined, active, waiting, admit } = await staged();
  await records.note(concert, { drawn: 9, head: 1 });
  expect(await redis.unlink(queueKey(concert, name)), name).toBe(1);

  const other = instance();
  // Clients that poll in any order, at any instance.
  await statesOf(other, waiting.toReversed());
  await statesOf(room, [active, rejoined, absent]);
  await expectRefusal(join(other), 'unavailable');
  expect((await admit(other, 100)).admitted, name).toBe(0);
  await endRebuild(redis, concert);
  expect(await statesOf(room, [absent, rejoined, active]), name).toEqual([1, 1, 1]);
  expect(await statesOf(room, waiting), name).toEqual([1, 2, 3, 4]);
  expect((await join(other)).sequence, name).toBe(10);
}

test.concurrent('a queue that has lost any part is rebuilt as if all were lost', async () => {
  await Promise.all([...SETS, ...OTHERS].map(losePart));
});

test.concurrent('a holder who joins again after a loss is told when the entry joined', async () => {
  const { concert, records, instance, joinAll } = stage();
  const [entry] = await joinAll(instance(), 1);
  const { sequence, userId: user, joinedAt } = entry as QueueEntry;
  records.change(concert, { drawn: 1, sessions: [{ userId: user, sequence, joinedAt, remainingMs: 60_000 }] });
  await redis.unlink(queueKeys(concert));
  const again = await instance().join(concert, user, { waitingMax: 10, opening: 'fifo' });
  expect(again).toMatchObject({ fresh: false, entry, state: { status: 'ACTIVE' } });
});
