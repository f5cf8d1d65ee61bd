import { v7 as newId } from 'uuid';
import { expect, test } from 'vitest';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import type { AdmissionPolicy } from '#domain/catalog/policy.ts';
import { concertId, userId } from '#domain/ids.ts';
import { pollSecondsMax } from '#domain/queue/queue.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { passAtQueue } from '#tests/support/queue-clock.ts';

const CLIENTS = 20;
const { redis } = await openRedis();
const room = redisQueue(redis, looseQueueRecords(), { rebuildSeconds: 60 });

const LONG = { ...POLICY, sessionSeconds: 600, claimSeconds: 600, absentSeconds: 600, graceSeconds: 0 };
const changes: [string, Partial<AdmissionPolicy>][] = [
  ['nothing', {}],
  ['a session of 5 s', { sessionSeconds: 5 }],
  ['5 s to claim a session', { claimSeconds: 5 }],
  ['5 s of silence', { absentSeconds: 5 }],
  ['5 s of everything', { sessionSeconds: 5, claimSeconds: 5, absentSeconds: 5 }],
];

test.each(changes)(
  'a client that polls as told keeps its entry and its session when the policy changes to %s',
  async (_, change) => {
    const concert = concertId(newId());
    const joining = Array.from({ length: CLIENTS }, () =>
      room.join(concert, userId(newId()), { waitingMax: CLIENTS, opening: 'fifo' }),
    );
    const entries = (await Promise.all(joining)).map(({ entry }) => entry);
    const before = { ...LONG, activeMax: 1 };
    await room.admit(concert, before);
    // All have polled just now, and were told to do so again in this time.
    await Promise.all(entries.map(room.find));
    const told = pollSecondsMax(before);
    const after = { ...LONG, ...change, activeMax: CLIENTS };
    // Some are admitted by the new policy at once, the others when they are about to poll.
    await room.admit(concert, { ...after, activeMax: CLIENTS / 2 });
    await passAtQueue(redis, concert, (told - 5) * 1_000);
    await room.admit(concert, after);
    await passAtQueue(redis, concert, 3_000);
    await room.admit(concert, after);
    const states = await Promise.all(entries.slice(1).map(room.find));
    expect(new Set(states.map(({ status }) => status))).toEqual(new Set(['ACTIVE']));
  },
);

test('who does not poll as told loses its session, once the earlier interval is over', async () => {
  const concert = concertId(newId());
  const { entry } = await room.join(concert, userId(newId()), { waitingMax: CLIENTS, opening: 'fifo' });
  await room.admit(concert, { ...LONG, activeMax: 0, admitPerWindow: 0, paused: true });
  await room.admit(concert, { ...LONG, claimSeconds: 5 });
  await passAtQueue(redis, concert, (pollSecondsMax(LONG) + 30) * 1_000);
  expect(await room.admit(concert, { ...LONG, claimSeconds: 5 })).toMatchObject({ expired: 1 });
  expect(await room.find(entry)).toEqual({ status: 'EXPIRED' });
});
