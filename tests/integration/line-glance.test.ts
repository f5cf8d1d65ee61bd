import { setTimeout as passing } from 'node:timers/promises';
import fc from 'fast-check';
import { v7 as newId } from 'uuid';
import { afterAll, expect, inject, test } from 'vitest';
import { connectRedis } from '#adapters/redis/client.ts';
import { drawOrder } from '#adapters/redis/draw-order.ts';
import { redisWaitingRoom } from '#adapters/redis/waiting-room.ts';
import { concertId, userId } from '#domain/ids.ts';
import type { QueueClaim } from '#domain/queue.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { looseLines } from '#tests/fakes/loose-lines.ts';
import { passAtLine } from '#tests/support/line-clock.ts';

// What two instances tell, one of them from memory only, against where everybody really stands.

const PEOPLE = 500;
/** Nothing older is told. */
const STALE_MS = 1_000;
const TIME_LIMIT_MS = 12_000;

const { redis, close } = await connectRedis({ url: inject('redisUrl'), commandTimeoutMs: 5_000 }, raise);
afterAll(close);

/** Who stands where, since when. */
type Order = { readonly since: number; readonly positions: ReadonlyMap<QueueClaim, number> };

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

test('whoever is asked tells where one stands, less than a second old, exactly near the front, and never a rise', async () => {
  const compared = { far: 0, near: 0 };
  const openings = fc.constantFrom('fifo' as const, 'lottery' as const);
  const property = fc.asyncProperty(openings, moves, async (opening, history) => {
    const concert = concertId(newId());
    const lines = looseLines();
    const instance = () => redisWaitingRoom(redis, lines, { rebuildSeconds: 60 });
    const rooms = [instance(), instance()] as const;
    const join = async (count: number) => {
      const joins = Array.from({ length: count }, () =>
        rooms[0].join(concert, userId(newId()), { waitingMax: 10_000, opening }),
      );
      return (await Promise.all(joins)).map(({ claim }) => claim);
    };

    let waiting = await join(PEOPLE);
    if (opening === 'lottery') {
      await rooms[1].read(concert);
      expect(rooms[1].glance(waiting[0] as QueueClaim)).toMatchObject({ status: 'WAITING', position: undefined });
      await rooms[0].drawLots(concert);
      const { seed, count } = await lines.draw(concert, PEOPLE);
      const { order } = await drawOrder(Buffer.from(seed, 'hex'), count);
      waiting = waiting.toSorted((a, b) => (order[a.sequence - 1] ?? 0) - (order[b.sequence - 1] ?? 0));
    }
    const told = new Map<QueueClaim, number>();
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
        const leaving = new Set(move.who.map((at) => waiting[Math.floor(at * waiting.length)] as QueueClaim));
        await Promise.all([...leaving].map((claim) => rooms[0].leave(claim)));
        waiting = waiting.filter((claim) => !leaving.has(claim));
      }
      orders.push({ since: performance.now(), positions: new Map(waiting.map((claim, at) => [claim, at + 1])) });
      for (const room of rooms) {
        await room.refresh();
        for (const claim of waiting) await ask(room, claim);
      }
    }

    async function ask(room: (typeof rooms)[number], claim: QueueClaim): Promise<void> {
      const glanced = room.glance(claim);
      const place = glanced ?? (await room.find(claim));
      if (place.status !== 'WAITING' || place.position === undefined) throw new Error(`told ${place.status}`);
      const exact = orders.at(-1)?.positions.get(claim) ?? Number.NaN;
      const old = orders.findLast(({ since }) => since < performance.now() - STALE_MS)?.positions.get(claim);
      expect(place.position).toBeGreaterThanOrEqual(exact);
      expect(place.position).toBeLessThanOrEqual(Math.min(old ?? Infinity, told.get(claim) ?? Infinity));
      if (glanced === undefined) expect(place.position).toBe(exact);
      told.set(claim, place.position);
      compared[glanced === undefined ? 'near' : 'far'] += 1;
    }
  });
  await fc.assert(property, { numRuns: 30, interruptAfterTimeLimit: TIME_LIMIT_MS });
  expect(compared.far).toBeGreaterThan(1_000);
  expect(compared.near).toBeGreaterThan(1_000);
});

test('a glance keeps a place as a poll does', async () => {
  const concert = concertId(newId());
  const room = redisWaitingRoom(redis, looseLines(), { rebuildSeconds: 60 });
  const claims: QueueClaim[] = [];
  for (let joined = 0; joined < 2; joined++) {
    const all = Array.from({ length: 150 }, () =>
      room.join(concert, userId(newId()), { waitingMax: 10_000, opening: 'fifo' }),
    );
    claims.push(...(await Promise.all(all)).map(({ claim }) => claim));
  }
  const [silent, present] = [claims.at(-2), claims.at(-1)] as [QueueClaim, QueueClaim];
  await passAtLine(redis, concert, 60_000);
  await room.refresh();
  expect(room.glance(present)).toMatchObject({ position: 300 });
  await room.notePresence();
  await room.admit(concert, { ...POLICY, activeMax: 1_000, absentSeconds: 30 });
  expect(await room.find(present)).toMatchObject({ status: 'ACTIVE' });
  expect(await room.find(silent)).toMatchObject({ status: 'WAITING', position: 1 });
});

function raise(error: Error): never {
  throw error;
}
