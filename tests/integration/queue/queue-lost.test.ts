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
import { endRebuild } from '#tests/support/queue-clock.ts';
import { until } from '#tests/support/until.ts';

// Redis forgets a line: what the instances know, what is on record, and the tokens that people present bring it back.

/** Nobody waits for it: a test ends it. */
const REBUILD_SECONDS = 600;
const { redis } = await openRedis();

function line({ opening = 'fifo' as 'fifo' | 'lottery' } = {}) {
  const concert = concertId(newId());
  const queueRecords = looseQueueRecords();
  const instance = () => redisQueue(redis, queueRecords, { rebuildSeconds: REBUILD_SECONDS });
  const rooms: [Queue, Queue] = [instance(), instance()];
  const join = async (room = rooms[0]) =>
    (await room.join(concert, userId(newId()), { waitingMax: 10_000, opening })).entry;
  return {
    concert,
    queueRecords,
    rooms,
    instance,
    join,
    async joinAll(count: number): Promise<QueueEntry[]> {
      const entries: QueueEntry[] = [];
      for (let joined = 0; joined < count; joined++) entries.push(await join(rooms[joined % 2]));
      return entries;
    },
    admit: (activeMax: number, room = rooms[0]) => room.admit(concert, { ...POLICY, activeMax, absentSeconds: 60 }),
    lose: () => redis.unlink(queueKeys(concert)),
    known: () => Promise.all(rooms.map((room) => room.read(concert))),
    async rebuilt(room = rooms[0]) {
      if ((await room.read(concert)).rebuildingMs !== undefined) await endRebuild(redis, concert);
      expect((await room.read(concert)).rebuildingMs).toBeUndefined();
    },
  };
}

const positionsAt = (room: Queue, entries: readonly QueueEntry[]) =>
  Promise.all(
    entries.map(async (entry) => {
      const state = await room.find(entry);
      return state.status === 'WAITING' ? state.position : state.status;
    }),
  );

test.concurrent('clients that poll have their entries again, in the old order and before any new one', async () => {
  const { rooms, joinAll, join, admit, lose, rebuilt, known, concert } = line();
  const entries = await joinAll(20);
  await admit(3);
  await known();
  const before = await positionsAt(rooms[1], entries.slice(3));
  await lose();

  const back = entries.slice(3).toReversed();
  expect(await positionsAt(rooms[0], back.slice(0, 10))).toEqual(before.toReversed().slice(0, 10));
  await expectRefusal(join(rooms[1]), 'unavailable');
  expect((await admit(10, rooms[1])).admitted).toBe(0);
  expect(await positionsAt(rooms[1], back.slice(10))).toEqual(before.toReversed().slice(10));
  await rebuilt();

  const late = await join(rooms[1]);
  expect(late.sequence).toBe(21);
  expect(await positionsAt(rooms[0], [...entries.slice(3), late])).toEqual([...before, 18]);
  expect(await admit(5)).toMatchObject({ admitted: 5 });
  const events = await rooms[0].takeEvents(concert, 100);
  expect(events.filter(({ kind }) => kind === 'admitted').map(({ sequence }) => sequence)).toEqual([4, 5, 6, 7, 8]);
});

test.concurrent('entries that left or paid stay ended, and entries not yet restored still count in positions', async () => {
  const { rooms, joinAll, admit, lose, rebuilt, known, queueRecords, concert } = line();
  const entries = await joinAll(10);
  const [paid, browsing, , left, silent] = entries as [QueueEntry, QueueEntry, QueueEntry, QueueEntry, QueueEntry];
  await admit(2);
  await rooms[0].leave(left);
  await known();
  queueRecords.change(concert, { paid: [paid.sequence] });
  const last = entries.slice(5);
  const before = await positionsAt(rooms[0], last);
  expect(before).toEqual([3, 4, 5, 6, 7]);
  await lose();

  expect(await positionsAt(rooms[1], last)).toEqual(before);
  expect(await positionsAt(rooms[0], [left, paid])).toEqual(['EXPIRED', 'EXPIRED']);
  // Nobody knows whether she was still there. She is asked to come in again, next.
  expect(await positionsAt(rooms[0], [browsing])).toEqual([1]);
  await rebuilt();
  expect(await positionsAt(rooms[0], last)).toEqual([1, 2, 3, 4, 5]);
  // Who comes late, with a number that was not passed, is where they were.
  await admit(1);
  expect(await positionsAt(rooms[1], [browsing, silent])).toEqual(['ACTIVE', 1]);
  expect(await positionsAt(rooms[1], last)).toEqual([1, 2, 3, 4, 5]);
});

test.concurrent('an active user who holds seats is active again, for as long as the hold lasts', async () => {
  const { rooms, joinAll, admit, lose, queueRecords, concert } = line();
  const [holder, other] = (await joinAll(3)) as [QueueEntry, QueueEntry, QueueEntry];
  await admit(2);
  const { userId: holderId, sequence } = holder;
  queueRecords.change(concert, {
    sessions: [{ userId: holderId, sequence, remainingMs: 60_000 }],
    drawn: 3,
    head: 3,
  });
  await lose();

  const state = await rooms[0].keepOpen(holder);
  expect(state.status).toBe('ACTIVE');
  if (state.status !== 'ACTIVE') throw new RangeError();
  expect(state.expiresAt.getTime() - Date.now()).toBeGreaterThan(50_000);
  expect(await positionsAt(rooms[1], [other])).toEqual([1]);
});

test.concurrent('the record and the tokens suffice, though all instances are lost as well', async () => {
  const { rooms, joinAll, admit, lose, rebuilt, queueRecords, concert, instance } = line();
  const entries = await joinAll(10);
  // The instance looks once more after it has let somebody in, and then never again.
  const looked = new Promise<void>((resolve) => rooms[0].watch(concert, resolve));
  await admit(4);
  await looked;
  await queueRecords.note(concert, { drawn: 8, head: 5 });
  await lose();

  const room = instance();
  // The numbers 9 and 10 are not on record: their tokens tell.
  expect(await positionsAt(room, entries.slice(4).toReversed())).toEqual([6, 5, 4, 3, 2, 1]);
  await rebuilt(room);
  const { entry } = await room.join(concert, userId(newId()), { waitingMax: 100, opening: 'fifo' });
  expect(entry.sequence).toBe(11);
});

test.concurrent('lots that were drawn are not drawn again', async () => {
  const { rooms, joinAll, join, lose, rebuilt, concert, instance } = line({ opening: 'lottery' });
  const entries = await joinAll(12);
  await rooms[0].drawLots(concert);
  entries.push(await join());
  await rooms[1].read(concert);
  const before = await positionsAt(rooms[1], entries);
  await lose();
  expect(await positionsAt(instance(), entries)).toEqual(before);
  await rooms[1].drawLots(concert);
  await rebuilt();
  await rooms[1].drawLots(concert);
  expect(await positionsAt(rooms[1], entries)).toEqual(before);
});

test.concurrent('a lost registration is restored by polling, and lots are drawn among its entries', async () => {
  const { rooms, joinAll, lose, rebuilt, concert, queueRecords } = line({ opening: 'lottery' });
  const entries = await joinAll(6);
  queueRecords.change(concert, { registering: true });
  await lose();
  expect(await positionsAt(rooms[0], entries)).toEqual(entries.map(() => undefined));
  await rooms[0].drawLots(concert);
  expect(await positionsAt(rooms[1], entries)).toEqual(entries.map(() => undefined));
  await rebuilt();
  await rooms[1].drawLots(concert);
  expect(((await positionsAt(rooms[0], entries)) as number[]).sort()).toEqual([1, 2, 3, 4, 5, 6]);
});

test.concurrent('a replica that missed the last moments draws no sequence twice, and restores the entries that it lacks', async () => {
  const { rooms, joinAll, join, concert } = line();
  const entries = await joinAll(6);
  const last = entries.slice(4);
  await redis.set(queueKey(concert, 'sequence'), 4);
  for (const { userId: id } of last) {
    await redis.zrem(queueKey(concert, 'waiting'), Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url'));
  }
  await rooms[0].refresh();
  expect((await join(rooms[1])).sequence).toBe(7);
  expect(await positionsAt(rooms[1], last)).toEqual([5, 6]);
});

test.concurrent('memory vouches for no entry of a lost queue: each is looked up once', async () => {
  const { rooms, joinAll, lose, rebuilt, known } = line();
  const entries = await joinAll(300);
  const last = entries.at(-1) as QueueEntry;
  await known();
  await toldAtAGlance();
  await lose();
  await rooms[0].refresh();
  expect(rooms[0].recall(last)).toBeUndefined();
  await positionsAt(rooms[1], entries.slice(0, -1));
  await rebuilt();
  expect(rooms[0].recall(last)).toBeUndefined();
  expect(await positionsAt(rooms[0], [last])).toEqual([300]);
  await toldAtAGlance();

  async function toldAtAGlance(): Promise<void> {
    await until('the position comes from memory', async () => {
      await rooms[0].refresh();
      const state = rooms[0].recall(last);
      return state?.status === 'WAITING' && state.position === 300;
    });
  }
});
