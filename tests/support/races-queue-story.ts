import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { RedisConnection } from '#adapters/redis/client/connect-redis.ts';
import { queueKey } from '#adapters/redis/keys.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { concertId, userId } from '#domain/ids.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { watchAdmissions } from './admissions.ts';
import { inParallel } from './in-parallel.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

type Told = { readonly askedMs: number; readonly answeredMs: number; readonly position: number };

/** A client that asks this much later is told no position behind the one before, whichever instances answer. */
const APART_MS = 1_000;

type Crowd = {
  readonly count: number;
  readonly activeMax: number;
  readonly joinsAtOnce: number;
  /** How many of them keep an eye on their position. */
  readonly watchers: number;
};

/** Everybody joins, stays until seen to be in, then leaves, and so lets the next one in. Nobody is overtaken on the way. */
export async function letInOneByOne(world: World, { count, activeMax, joinsAtOnce, watchers }: Crowd): Promise<void> {
  const concert = await world.openHall({ activeMax });
  const fans = await world.fans(count);
  const admissions = await watchAdmissions(concert);

  const joins = await inParallel(fans, joinsAtOnce, async (fan) => {
    const asked = performance.now();
    const { body } = await fan.join(concert);
    return { fan, asked, answered: performance.now(), sequence: body.sequence ?? Number.NaN };
  });
  const line = joins.toSorted((a, b) => a.sequence - b.sequence);
  const everySequence = Array.from({ length: count }, (_, index) => index + 1);
  expect(line.map(({ sequence }) => sequence)).toEqual(everySequence);
  expect(overtaken(line)).toEqual([]);

  const watching = line
    .filter(({ sequence }) => sequence % Math.floor(count / watchers) === 0)
    .map(({ fan }) => ({ fan, told: [] as Told[] }));
  let over = false;
  const watch = inParallel(watching, watching.length, async ({ fan, told }) => {
    while (!over) {
      const askedMs = performance.now();
      const { position } = (await fan.poll()).body;
      if (position === undefined) return;
      told.push({ askedMs, answeredMs: performance.now(), position });
    }
  });
  await inParallel(line, activeMax + 10, async ({ fan }) => {
    await fan.untilActive();
    expect((await fan.leave()).status).toBe(204);
  });
  over = true;
  await watch;

  await until('the monitor has reported every admission', () => admissions.length >= count);
  expect(admissions).toEqual(everySequence);
  expect(watching.flatMap(({ told }) => risesIn(told))).toEqual([]);
  expect(watching.flatMap(({ told }) => told).length).toBeGreaterThan(watching.length);
}

/** As many loops as there are connections let people in at the same time, more loops than may be in. */
export async function admitInLoops(connections: readonly RedisConnection[], count: number): Promise<void> {
  const activeMax = connections.length - 3;
  const queueRecords = looseQueueRecords();
  const rooms = connections.map(({ redis }) => redisQueue(redis, queueRecords, { rebuildSeconds: 60 }));
  const concert = concertId(randomUUID());
  const activeKey = queueKey(concert, 'active');
  const admissions = await watchAdmissions(concert);

  const entries: Awaited<ReturnType<(typeof rooms)[number]['join']>>['entry'][] = [];
  for (let joined = 0; joined < count; joined += rooms.length) {
    const joins = rooms.map((room) =>
      room.join(concert, userId(randomUUID()), { waitingMax: 10_000, opening: 'fifo' }),
    );
    entries.push(...(await Promise.all(joins)).map(({ entry }) => entry));
  }
  entries.sort((a, b) => a.sequence - b.sequence);

  // Each loop waits for the next one in line to be let in, ends that session, and takes the next.
  const active: number[] = [];
  let admitted = 0;
  let next = 0;
  await Promise.all(
    connections.map(async ({ redis }, loop) => {
      const room = rooms[loop];
      for (let entry = entries[next++]; entry !== undefined && room !== undefined; entry = entries[next++]) {
        while ((await room.find(entry)).status !== 'ACTIVE') {
          const admission = await room.admit(concert, { ...POLICY, activeMax });
          admitted += admission.admitted;
          active.push(admission.active, await redis.zcard(activeKey));
        }
        await room.leave(entry);
      }
    }),
  );

  expect(Math.max(...active)).toBe(activeMax);
  expect(admitted).toBe(entries.length);
  await until('the monitor has reported every admission', () => admissions.length >= entries.length);
  expect(admissions).toEqual(entries.map(({ sequence }) => sequence));
}

type Join = { readonly asked: number; readonly answered: number; readonly sequence: number };

/** Those, of a line by sequence, who had their place before somebody ahead of them had even asked for one. */
function overtaken(line: readonly Join[]): Join[] {
  let latestAsked = 0;
  return line.filter((join) => {
    const wronged = latestAsked > join.answered;
    latestAsked = Math.max(latestAsked, join.asked);
    return wronged;
  });
}

/** Answers that are behind an earlier one, though asked for a second after it or more. */
function risesIn(told: readonly Told[]): { readonly before: Told; readonly after: Told }[] {
  return told.flatMap((after) =>
    told
      .filter((before) => before.answeredMs <= after.askedMs - APART_MS && before.position < after.position)
      .map((before) => ({ before, after })),
  );
}
