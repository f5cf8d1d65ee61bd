import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import { sessionOnRecord } from '#adapters/http/guards/session-on-record.ts';
import { Refusal } from '#domain/errors.ts';
import { userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { QueueRecords } from '#ports/queue/queue-records.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';

const LONG_MS = 60_000;

function record(findSession: QueueRecords['findSession']) {
  const { ports, stage } = memoryWorld();
  const { concertId } = stage();
  let [at, looks] = [0, 0];
  const queueRecords: QueueRecords = {
    ...ports.queueRecords,
    findSession(...asked) {
      looks += 1;
      return findSession(...asked);
    },
  };
  const isIn = sessionOnRecord({ queueRecords, concerts: ports.concerts }, () => at);
  const entry = (sequence = 1): QueueEntry => ({
    ...{ userId: userId(newId()), concertId, sequence, epoch: 'AAAAAAAA', joinedAt: new Date(0) },
  });
  return { isIn, entry, looks: () => looks, passes: (milliseconds: number) => (at += milliseconds) };
}

describe('a session on record', () => {
  it.each([true, false])('is looked up once for concurrent reads, and cached for a while: active, %s', async (is) => {
    const { isIn, entry, looks, passes } = record(async () => (is ? { remainingMs: LONG_MS } : undefined));
    const mine = entry();
    expect(await Promise.all([isIn(mine), isIn(mine), isIn(mine)])).toEqual([is, is, is]);
    passes(100);
    expect(await isIn({ ...mine })).toBe(is);
    expect(looks()).toBe(1);
    passes(LONG_MS);
    await isIn(mine);
    expect(looks()).toBe(2);
  });

  it('is not cached beyond its end', async () => {
    let remainingMs = 50;
    const { isIn, entry, passes } = record(async () => (remainingMs > 0 ? { remainingMs } : undefined));
    const mine = entry();
    expect(await isIn(mine)).toBe(true);
    passes(49);
    remainingMs -= 50;
    expect(await isIn(mine)).toBe(true);
    passes(1);
    expect(await isIn(mine)).toBe(false);
  });

  it('belongs to this user, sequence and queue', async () => {
    const { isIn, entry, looks } = record(async ({ sequence }) => (sequence === 1 ? { remainingMs: 1 } : undefined));
    const mine = entry(1);
    expect(await isIn(mine)).toBe(true);
    expect(await isIn({ ...mine, sequence: 2 })).toBe(false);
    await isIn({ ...mine, epoch: 'BBBBBBBB' });
    await isIn(entry(1));
    expect(looks()).toBe(4);
  });

  it('is not cached if the lookup failed', async () => {
    let isAway = true;
    const { isIn, entry } = record(async () => {
      if (isAway) throw new Refusal('unavailable', { retryAfterSeconds: 1 });
      return { remainingMs: 1 };
    });
    const mine = entry();
    await expectRefusal(isIn(mine), 'unavailable');
    isAway = false;
    expect(await isIn(mine)).toBe(true);
  });

  it('is looked up again when the cache is full, and never wrong', async () => {
    const { isIn, entry } = record(async ({ sequence }) => (sequence % 2 === 0 ? { remainingMs: 1 } : undefined));
    const crowd = Array.from({ length: 50_000 }, (_, index) => entry(index + 1));
    for (const one of crowd) expect(await isIn(one)).toBe(one.sequence % 2 === 0);
    expect(await isIn(crowd[0] as QueueEntry)).toBe(false);
  });
});
