import { describe, expect, test } from 'vitest';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { tally } from '#tests/support/client/client.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { endSession, passAtQueue } from '#tests/support/queue-clock.ts';
import { admitInLoops, letInOneByOne } from '#tests/support/races-queue-story.ts';
import { letIn, sharedWorld } from '#tests/support/world.ts';

const world = await sharedWorld();
const connections = await Promise.all(Array.from({ length: 8 }, () => openRedis()));
const { redis } = connections[0] as (typeof connections)[number];

describe('two instances', () => {
  // As many as are looked up at each poll: a position told from memory may be a second old.
  test('admit all entries exactly in the order in which they joined, each once', () =>
    letInOneByOne(world, { count: 200, activeMax: 10, joinsAtOnce: 50, watchers: 5 }));

  test('give a user who joins through all of them at once one entry and one token', async () => {
    const concert = await world.openHall({ activeMax: 1 });
    const [first, fan] = await world.fans(2);
    await letIn([first], concert);

    const answers = await Promise.all(Array.from({ length: 50 }, () => fan.join(concert)));

    expect(tally(answers)).toEqual({ 201: 1, 200: 49 });
    expect(new Set(answers.map(({ body }) => body.token)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.position))).toEqual(new Set([1]));
  });

  test('admit the next entry when a session expires, and its owner no more', async () => {
    const concert = await world.openHall({ activeMax: 1 });
    const [first, next] = await world.fans(2);
    await letIn([first], concert);
    expect((await next.join(concert)).body).toMatchObject({ status: 'WAITING', position: 1 });

    await endSession(redis, concert, first.userId);
    await next.untilActive();

    expect((await first.poll()).body.status).toBe('EXPIRED');
    expect(tally([await first.reserve([1])])).toEqual({ '403 session-expired': 1 });
  });

  test('keep a session open for as long as its hold, so that a short session can still pay', async () => {
    const sessionSeconds = 120;
    const concert = await world.openHall({ activeMax: 1, sessionSeconds, holdSeconds: 600 });
    const [fan, next] = await world.fans(2, { balance: 1_000 });
    await letIn([fan], concert);
    await next.join(concert);
    const granted = time((await fan.poll()).body.expiresAt);
    const reserved = await fan.reserve([1]);
    const kept = time((await fan.poll()).body.expiresAt);
    expect(kept).toBeGreaterThan(granted);
    expect(kept).toBeGreaterThanOrEqual(time(reserved.body.heldUntil));

    // The session as it was granted is over.
    await passAtQueue(redis, concert, sessionSeconds * 1_000);

    expect((await fan.poll()).body.status).toBe('ACTIVE');
    expect((await next.poll()).body.status).toBe('WAITING');
    expect((await fan.pay(reserved.body.reservationId ?? '')).status).toBe(201);
    await next.untilActive();
  });

  auditAtTheEnd(world);
});

test('eight concurrent admission loops never exceed the limit, and admit each entry exactly once', () =>
  admitInLoops(connections, 200));

function time(instant: string | undefined): number {
  return new Date(instant ?? Number.NaN).getTime();
}
