import { v7 as newId } from 'uuid';
import { expect, test } from 'vitest';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { concertId, userId } from '#domain/ids.ts';
import { type QueueEntry, queueStatusOf } from '#domain/queue/queue.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { stepClock } from '#tests/support/queue-clock.ts';

const PEOPLE = 2_000;
/** Of them stop to poll, one after the other. */
const LEAVERS = 1_600;
const LEFT_BY_SECONDS = 60;
const policy = { ...POLICY, activeMax: 20, absentSeconds: 60, claimSeconds: 60, sessionSeconds: 300 };
const SESSION_USED_SECONDS = 20;
const TICK_SECONDS = 2;
/** The leavers have gone, and the turnover was measured for a while. */
const TOLD_FROM_SECONDS = 200;
/** Seconds count for more in a shorter wait than an estimate in whole seconds can be right about. */
const WAIT_SECONDS_MIN = 10;

const { redis } = await openRedis();
const queue = redisQueue(redis, looseQueueRecords(), { rebuildSeconds: 60 });

type Person = {
  readonly entry: QueueEntry;
  readonly leavesAt: number;
  pollsAt: number;
  admittedAt: number;
  readonly told: { readonly at: number; readonly etaSeconds: number; readonly etaP90Seconds: number }[];
};

test('the estimate is right within a quarter at the median, though most of those ahead have gone', async () => {
  const concert = concertId(newId());
  const users = Array.from({ length: PEOPLE }, () => userId(newId()));
  const joined = await Promise.all(
    users.map((user) => queue.join(concert, user, { waitingMax: PEOPLE, opening: 'fifo' })),
  );
  const sale = {
    concert: { policy, sales: 'OPEN', opened: true, opensAt: new Date(0), opensInSeconds: 0 },
    seatsLeft: { available: PEOPLE, held: 0 },
  } as const;
  const people = joined.map(({ entry }, index): Person => {
    const isLeaver = (index * 1_237) % PEOPLE < LEAVERS;
    const leavesAt = isLeaver ? (index * 13) % LEFT_BY_SECONDS : Number.POSITIVE_INFINITY;
    return { entry, leavesAt, pollsAt: 0, admittedAt: Number.NaN, told: [] };
  });

  async function poll(person: Person, now: number): Promise<void> {
    const status = queueStatusOf(person.entry, await queue.find(person.entry), sale, 0.5);
    const { etaSeconds, etaP90Seconds, pollAfterSeconds } = status;
    person.pollsAt = now + pollAfterSeconds;
    if (status.status === 'ACTIVE') person.admittedAt = now;
    else if (etaSeconds !== undefined && etaP90Seconds !== undefined)
      person.told.push({ at: now, etaSeconds, etaP90Seconds });
  }
  const waits = ({ leavesAt, admittedAt }: Person, now: number) => leavesAt > now && Number.isNaN(admittedAt);

  for (let now = 0; people.some((person) => waits(person, Number.MAX_VALUE)); now += TICK_SECONDS) {
    await Promise.all(
      people.filter((person) => waits(person, now) && person.pollsAt <= now).map((person) => poll(person, now)),
    );
    const done = people.filter(({ admittedAt }) => admittedAt + SESSION_USED_SECONDS === now);
    await Promise.all(done.map(({ entry }) => queue.leave(entry)));
    await stepClock(redis, concert, 1_000 * TICK_SECONDS);
    await queue.admit(concert, policy);
  }

  const tellings = people.flatMap(({ admittedAt, told }) =>
    told
      .filter(({ at }) => at >= TOLD_FROM_SECONDS && admittedAt - at >= WAIT_SECONDS_MIN)
      .map(({ at, ...told }) => ({ ...told, waited: admittedAt - at })),
  );
  const errors = tellings
    .map(({ etaSeconds, waited }) => Math.abs(etaSeconds - waited) / waited)
    .toSorted((a, b) => a - b);
  expect(errors[Math.floor(errors.length / 2)]).toBeLessThan(0.25);
  const isInTime = ({ etaP90Seconds, waited }: (typeof tellings)[number]) => waited <= etaP90Seconds;
  expect(tellings.filter(isInTime).length / tellings.length).toBeGreaterThan(0.85);
});
