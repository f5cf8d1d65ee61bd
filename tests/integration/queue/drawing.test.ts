import { v7 as newId } from 'uuid';
import { describe, expect, test } from 'vitest';
import { queueKey, queueKeys } from '#adapters/redis/keys.ts';
import { drawOrder } from '#adapters/redis/queue/draw-order.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { run, scripts } from '#adapters/redis/scripts.ts';
import { concertId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { Queue } from '#ports/queue/queue.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { passAtQueue } from '#tests/support/queue-clock.ts';

// Between the end of a registration and the last place that is given by lot. It takes a second or two for a million, and
// as long as Postgres or the instance that draws is away.

const ABSENT_SECONDS = 60;
const ABSENT_MS = (ABSENT_SECONDS + 5) * 1_000;
const { redis } = await openRedis();

async function registration(count: number) {
  const concert = concertId(newId());
  const keys = queueKeys(concert);
  const queueRecords = looseQueueRecords();
  const instance = () => redisQueue(redis, queueRecords, { rebuildSeconds: 60 });
  const room = instance();
  const register = async (at: Queue = room) =>
    (await at.join(concert, userId(newId()), { waitingMax: 1_000, opening: 'lottery' })).entry;
  // As an instance does first that looks at a line: it sees one without lots.
  const other = instance();
  await other.read(concert);
  const entries: QueueEntry[] = [];
  for (let person = 0; person < count; person++) entries.push(await register());
  const closes = () => run(redis, scripts.close, keys, {});
  return {
    room,
    other,
    entries,
    register,
    passes: () => passAtQueue(redis, concert, ABSENT_MS),
    closes,
    async begins() {
      const { count: among, seed } = await queueRecords.draw(concert, await closes());
      await run(redis, scripts.begin, keys, { count: among, seed });
    },
    ends: () => room.drawLots(concert),
    /** As the lots will come out. */
    async inOrderOfLots() {
      const { seed, count: among } = await queueRecords.draw(concert, count);
      const { registered } = await drawOrder(Buffer.from(seed, 'hex'), among);
      return Array.from(registered, (sequence) => entries[sequence - 1]) as [QueueEntry, QueueEntry, QueueEntry];
    },
    numbersInLine: async () =>
      (await redis.zrange(queueKey(concert, 'waiting'), 0, '-1', 'WITHSCORES')).filter(isScore),
    missing: ({ userId: id }: QueueEntry) =>
      redis.zrem(queueKey(concert, 'registered'), Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')),
    admit: () => room.admit(concert, { ...POLICY, activeMax: 1_000, absentSeconds: ABSENT_SECONDS }),
  };
}

const isScore = (_: string, index: number) => index % 2 === 1;

describe.each(['closes', 'begins'] as const)('once the draw %s', (phase) => {
  test('an entry that keeps polling does not become absent, however long the draw takes', async () => {
    const line = await registration(5);
    await line.passes();
    await line[phase]();
    for (const entry of line.entries.slice(0, 2)) await line.room.find(entry);
    for (const { userId: id, concertId: concert } of line.entries.slice(2, 4)) {
      await line.room.join(concert, id, { waitingMax: 1_000, opening: 'lottery' });
    }
    await line.ends();
    expect(await line.admit()).toMatchObject({ admitted: 4, passedOver: 1 });
  });

  test('polling does not restore an entry that left before', async () => {
    const line = await registration(5);
    const [left] = line.entries as [QueueEntry];
    await line.room.leave(left);
    await line[phase]();
    await Promise.allSettled([line.room.find(left)]);
    await line.ends();
    expect(await line.room.find(left)).toEqual({ status: 'EXPIRED' });
    expect(await line.numbersInLine()).toHaveLength(4);
  });

  test('a lost entry is restored at its own number, which no other entry has', async () => {
    const line = await registration(8);
    const [, another, lost] = await line.inOrderOfLots();
    await line.missing(lost);
    await line[phase]();
    // What is not known of one of them is no matter to the others who ask at the same time.
    await Promise.all([expectRefusal(line.room.find(lost), 'unavailable'), line.room.find(another)]);
    await line.ends();
    expect(await line.room.find(lost)).toMatchObject({ status: 'WAITING' });
    expect(new Set(await line.numbersInLine()).size).toBe(8);
  });
});

test('an instance that never saw the registration computes the same positions as the others', async () => {
  const { room, other, entries, register, ends } = await registration(12);
  for (const entry of entries.slice(0, 4)) await room.leave(entry);
  const late = await register(other);
  await ends();
  const waiting = [...entries.slice(4), late];
  expect(await Promise.all(waiting.map(other.find))).toEqual(await Promise.all(waiting.map(room.find)));
});
