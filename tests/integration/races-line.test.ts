import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { connectRedis } from '#adapters/redis/client.ts';
import { lineKey } from '#adapters/redis/keys.ts';
import { redisWaitingRoom } from '#adapters/redis/waiting-room.ts';
import { concertId, userId } from '#domain/ids.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { looseLines } from '#tests/fakes/loose-lines.ts';
import { watchAdmissions } from '#tests/support/admissions.ts';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { type Fan, tally } from '#tests/support/fan.ts';
import { inParallel } from '#tests/support/in-parallel.ts';
import { until } from '#tests/support/until.ts';
import { letIn, startWorld } from '#tests/support/world.ts';

const world = await startWorld();

describe('three instances', () => {
  test('let two thousand in exactly in the order in which they asked, each once and all of them', async () => {
    const count = 2_000;
    const concert = await world.openHall({ activeMax: 50 });
    const fans = await world.fans(count);
    const admissions = await watchAdmissions(concert);

    const joins = await inParallel(fans, 300, async (fan) => {
      const asked = performance.now();
      const { body } = await fan.join(concert);
      return { fan, asked, answered: performance.now(), sequence: body.sequence ?? Number.NaN };
    });
    const line = joins.toSorted((a, b) => a.sequence - b.sequence);
    const everySequence = Array.from({ length: count }, (_, index) => index + 1);
    expect(line.map(({ sequence }) => sequence)).toEqual(everySequence);
    expect(overtaken(line)).toEqual([]);

    // Everybody stays until seen to be in, then leaves, and so lets the next one in. Some keep an eye on their position.
    const watchers = line
      .filter(({ sequence }) => sequence % 200 === 0)
      .map(({ fan }) => ({ fan, seen: [] as number[] }));
    let over = false;
    const watching = inParallel(watchers, watchers.length, async ({ fan, seen }) => {
      for (
        let standing = await fan.poll();
        standing.body.position !== undefined && !over;
        standing = await fan.poll()
      ) {
        seen.push(standing.body.position);
      }
    });
    await inParallel(line, 60, async ({ fan }) => {
      await fan.untilActive();
      expect((await fan.leave()).status).toBe(204);
    });
    over = true;
    await watching;

    await until('the monitor has reported every admission', () => admissions.length >= count);
    expect(admissions).toEqual(everySequence);
    for (const { seen } of watchers) expect(seen).toEqual(seen.toSorted((a, b) => b - a));
    expect(watchers.flatMap(({ seen }) => seen).length).toBeGreaterThan(watchers.length);
  }, 60_000);

  test('give a fan who joins through all of them at once one place and one token', async () => {
    const concert = await world.openHall({ activeMax: 1 });
    const [first, fan] = (await world.fans(2)) as [Fan, Fan];
    await letIn([first], concert);

    const answers = await Promise.all(Array.from({ length: 50 }, () => fan.join(concert)));

    expect(tally(answers)).toEqual({ 201: 1, 200: 49 });
    expect(new Set(answers.map(({ body }) => body.token)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.position))).toEqual(new Set([1]));
  });

  test('let the next one in when a session runs out, and the one it belonged to no more', async () => {
    const concert = await world.openHall({ activeMax: 1, sessionSeconds: 1 });
    const [first, next] = (await world.fans(2)) as [Fan, Fan];
    await letIn([first], concert);
    expect((await next.join(concert)).body).toMatchObject({ status: 'WAITING', position: 1 });

    await next.untilActive();

    expect((await first.poll()).body.status).toBe('EXPIRED');
    expect(tally([await first.reserve([1])])).toEqual({ '403 session-expired': 1 });
  });

  test('keep a session open for as long as its hold, and a fan may pay who was let in for less', async () => {
    const concert = await world.openHall({ activeMax: 1, sessionSeconds: 1, holdSeconds: 60 });
    const [fan, next] = (await world.fans(2, { balance: 1_000 })) as [Fan, Fan];
    await letIn([fan], concert);
    await next.join(concert);
    const granted = time((await fan.poll()).body.expiresAt);
    const reserved = await fan.reserve([1]);

    await until('the session as it was granted is over', () => Date.now() > granted);

    const { status, expiresAt } = (await fan.poll()).body;
    expect(status).toBe('ACTIVE');
    expect(time(expiresAt)).toBeGreaterThanOrEqual(time(reserved.body.heldUntil));
    expect((await next.poll()).body.status).toBe('WAITING');
    expect((await fan.pay(reserved.body.reservationId ?? '')).status).toBe(201);
    await next.untilActive();
  });

  auditAtTheEnd(world);
});

test('eight admission loops at once never let in more than the limit, nobody twice and everybody', async () => {
  const activeMax = 5;
  const lines = looseLines();
  const connections = await Promise.all(
    Array.from({ length: 8 }, () => connectRedis({ url: inject('redisUrl'), commandTimeoutMs: 5_000 }, raise)),
  );
  afterAll(() => Promise.all(connections.map(({ close }) => close())));
  const rooms = connections.map(({ redis }) => redisWaitingRoom(redis, lines, { rebuildSeconds: 60 }));
  const concert = concertId(randomUUID());
  const activeKey = lineKey(concert, 'active');
  const admissions = await watchAdmissions(concert);

  const claims: Awaited<ReturnType<(typeof rooms)[number]['join']>>['claim'][] = [];
  for (let joined = 0; joined < 1_000; joined += rooms.length) {
    const joins = rooms.map((room) =>
      room.join(concert, userId(randomUUID()), { waitingMax: 10_000, opening: 'fifo' }),
    );
    claims.push(...(await Promise.all(joins)).map(({ claim }) => claim));
  }
  claims.sort((a, b) => a.sequence - b.sequence);

  // More loops than places: each waits for the next one in line to be let in, ends that session, and takes the next.
  const active: number[] = [];
  let admitted = 0;
  let next = 0;
  await Promise.all(
    connections.map(async ({ redis }, loop) => {
      const room = rooms[loop];
      for (let claim = claims[next++]; claim !== undefined && room !== undefined; claim = claims[next++]) {
        while ((await room.find(claim)).status !== 'ACTIVE') {
          const admission = await room.admit(concert, { ...POLICY, activeMax });
          admitted += admission.admitted;
          active.push(admission.active, await redis.zcard(activeKey));
        }
        await room.leave(claim);
      }
    }),
  );

  expect(Math.max(...active)).toBe(activeMax);
  expect(admitted).toBe(1_000);
  await until('the monitor has reported every admission', () => admissions.length >= 1_000);
  expect(admissions).toEqual(claims.map(({ sequence }) => sequence));
});

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

function time(instant: string | undefined): number {
  return new Date(instant ?? Number.NaN).getTime();
}

function raise(error: Error): never {
  throw error;
}
