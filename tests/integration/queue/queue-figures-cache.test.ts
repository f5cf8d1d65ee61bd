import { setTimeout as passing } from 'node:timers/promises';
import fc from 'fast-check';
import { v7 as newId } from 'uuid';
import { expect, test } from 'vitest';
import { drawOrder } from '#adapters/redis/queue/draw-order.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { concertId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { passAtQueue } from '#tests/support/queue-clock.ts';
import { until } from '#tests/support/until.ts';

// What two instances tell, one of them from memory only, against where everybody really stands.

const PEOPLE = 500;
/** Nearer to the front than that everybody is looked up. */
const NEAR_POSITIONS = 200;
/** Nothing older is told. */
const STALE_MS = 1_000;
/** Side by side: they wait for most of the time. */
const HISTORIES = 8;
const SEED = 2_611;

const { redis } = await openRedis();

/** Who stands where, since when. */
type Order = { readonly since: number; readonly positions: ReadonlyMap<QueueEntry, number> };

const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const moves = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('leave' as const), who: fc.array(share, { maxLength: 40 }) }),
    fc.record({ kind: fc.constant('admit' as const), count: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ kind: fc.constant('join' as const), count: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ kind: fc.constant('pass' as const), milliseconds: fc.integer({ min: 1, max: 900 }) }),
  ),
  { minLength: 2, maxLength: 12 },
);
type Move = (typeof moves extends fc.Arbitrary<infer Moves> ? Moves : never)[number];

test('positions are less than a second old, exact near the head, and never rise for a client that polls once a second', async () => {
  const compared = { far: 0, near: 0 };
  const openings = fc.constantFrom('fifo' as const, 'lottery' as const);

  async function follow(opening: 'fifo' | 'lottery', history: readonly Move[]): Promise<void> {
    const concert = concertId(newId());
    const queueRecords = looseQueueRecords();
    const instance = () => redisQueue(redis, queueRecords, { rebuildSeconds: 60 });
    const rooms = [instance(), instance()] as const;
    const join = async (count: number) => {
      const joins = Array.from({ length: count }, () =>
        rooms[0].join(concert, userId(newId()), { waitingMax: 10_000, opening }),
      );
      return (await Promise.all(joins)).map(({ entry }) => entry);
    };

    let waiting = await join(PEOPLE);
    if (opening === 'lottery') {
      await rooms[1].read(concert);
      await until('polls from memory report the lottery', async () => {
        await rooms[1].refresh();
        const state = rooms[1].recall(waiting[0] as QueueEntry);
        return state?.status === 'WAITING' && state.position === undefined;
      });
      await rooms[0].drawLots(concert);
      const { seed, count } = await queueRecords.draw(concert, PEOPLE);
      const { order } = await drawOrder(Buffer.from(seed, 'hex'), count);
      waiting = waiting.toSorted((a, b) => (order[a.sequence - 1] ?? 0) - (order[b.sequence - 1] ?? 0));
    }
    const told = new Map<QueueEntry, { readonly answeredAt: number; readonly position: number }[]>();
    const orders: Order[] = [];
    let inside = 0;

    for (const move of [...history, { kind: 'pass', milliseconds: STALE_MS } as const]) {
      if (move.kind === 'join') waiting.push(...(await join(move.count)));
      if (move.kind === 'pass') await passing(move.milliseconds);
      if (move.kind === 'admit') {
        inside += waiting.splice(0, move.count).length;
        await rooms[0].admit(concert, { ...POLICY, activeMax: inside });
      }
      if (move.kind === 'leave') {
        const leaving = new Set(move.who.map((at) => waiting[Math.floor(at * waiting.length)] as QueueEntry));
        await Promise.all([...leaving].map((entry) => rooms[0].leave(entry)));
        waiting = waiting.filter((entry) => !leaving.has(entry));
      }
      orders.push({ since: performance.now(), positions: new Map(waiting.map((entry, at) => [entry, at + 1])) });
      // The instances survey the queue at different times, as they do by themselves.
      await rooms[orders.length % rooms.length]?.refresh();
      for (const room of rooms) await Promise.all(waiting.map((entry) => ask(room, entry)));
    }

    async function ask(room: (typeof rooms)[number], entry: QueueEntry): Promise<void> {
      const asked = performance.now();
      const state = room.recall(entry) ?? (await room.find(entry));
      if (state.status !== 'WAITING' || state.position === undefined) throw new Error(`told ${state.status}`);
      const exact = orders.at(-1)?.positions.get(entry) ?? Number.NaN;
      const old = orders.findLast(({ since }) => since < asked - STALE_MS)?.positions.get(entry);
      expect(state.position).toBeGreaterThanOrEqual(exact);
      const before = told.get(entry) ?? [];
      const askedBefore = before.filter(({ answeredAt }) => answeredAt <= asked - STALE_MS);
      expect(state.position).toBeLessThanOrEqual(Math.min(old ?? Infinity, ...askedBefore.map((one) => one.position)));
      const isNear = state.position <= NEAR_POSITIONS;
      if (isNear) expect(state.position).toBe(exact);
      told.set(entry, [...before, { answeredAt: performance.now(), position: state.position }]);
      compared[isNear ? 'near' : 'far'] += 1;
    }
  }
  const histories = fc.sample(fc.tuple(openings, moves), { numRuns: HISTORIES, seed: SEED });
  await Promise.all(histories.map(([opening, history]) => follow(opening, history)));
  expect(compared.far).toBeGreaterThan(1_000);
  expect(compared.near).toBeGreaterThan(1_000);
});

test('a read from memory counts as a heartbeat, like a poll', async () => {
  const concert = concertId(newId());
  const room = redisQueue(redis, looseQueueRecords(), { rebuildSeconds: 60 });
  const entries: QueueEntry[] = [];
  for (let joined = 0; joined < 2; joined++) {
    const all = Array.from({ length: 150 }, () =>
      room.join(concert, userId(newId()), { waitingMax: 10_000, opening: 'fifo' }),
    );
    entries.push(...(await Promise.all(all)).map(({ entry }) => entry));
  }
  const [silent, present] = [entries.at(-2), entries.at(-1)] as [QueueEntry, QueueEntry];
  await passAtQueue(redis, concert, 60_000);
  await until('the position comes from memory', async () => {
    await room.refresh();
    const state = room.recall(present);
    return state?.status === 'WAITING' && state.position === 300;
  });
  await room.writeLastSeen();
  await room.admit(concert, { ...POLICY, activeMax: 1_000, absentSeconds: 30 });
  expect(await room.find(present)).toMatchObject({ status: 'ACTIVE' });
  expect(await room.find(silent)).toMatchObject({ status: 'WAITING', position: 1 });
});
