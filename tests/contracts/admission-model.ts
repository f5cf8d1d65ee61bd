import fc from 'fast-check';
import { v7 as newId } from 'uuid';
import { expect } from 'vitest';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import type { AdmissionPolicy } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import { type ConcertId, concertId, userId } from '#domain/ids.ts';
import type { EntryState, QueueEntry } from '#domain/queue/queue.ts';
import type { Admission, Queue } from '#ports/queue/queue.ts';
import { looseQueueRecords } from '#tests/fakes/loose-queue-records.ts';
import { memoryClock } from '#tests/fakes/memory-clock.ts';
import { memoryQueue } from '#tests/fakes/memory-queue.ts';
import { passAtQueue } from '#tests/support/queue-clock.ts';

// The scripts against the domain's arithmetic, as the line in memory applies it, on random histories. Time passes in even
// numbers of a unit and everything that is decided by time takes an odd number of them, so that what Redis's own clock goes on
// meanwhile, far less than a unit, decides nothing.

const PEOPLE = 8;
const UNIT_SECONDS = 30;
const STEP_MS = 2 * UNIT_SECONDS * 1_000;

type Event =
  | { readonly kind: 'join'; readonly who: number; readonly waitingMax: number }
  | { readonly kind: 'find' | 'leave'; readonly who: number }
  | { readonly kind: 'extend'; readonly who: number; readonly seconds: number }
  | { readonly kind: 'pass'; readonly seconds: number }
  | { readonly kind: 'policy'; readonly policy: AdmissionPolicy }
  | { readonly kind: 'admit' }
  | { readonly kind: 'read' };

const who = fc.nat(PEOPLE - 1);
const even = fc.integer({ min: 1, max: 20 }).map((half) => 2 * half * UNIT_SECONDS);
const odd = (max: number) => fc.nat(Math.floor(max / 2)).map((half) => (2 * half + 1) * UNIT_SECONDS);
const limit = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4 }));
const seatsLeft = fc.record({ available: fc.nat(2), held: fc.nat(2) });
const policies: fc.Arbitrary<AdmissionPolicy> = fc.record({
  seatsLeft,
  activeMax: limit,
  admitPerWindow: limit,
  windowSeconds: odd(60),
  paused: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
  sessionSeconds: odd(80),
  holdSeconds: fc.constant(10),
  holdSecondsMax: odd(40),
  claimSeconds: odd(40),
  absentSeconds: odd(40),
  graceSeconds: odd(60),
});
const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('join'), who, waitingMax: fc.integer({ min: 2, max: 9 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('find'), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave'), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('extend'), who, seconds: odd(100) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('pass'), seconds: even }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('policy'), policy: policies }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('admit') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read') }) },
);

type World = {
  readonly room: Queue;
  /** By the clock that the room goes by. */
  now(): Promise<number>;
  passes(concert: ConcertId, milliseconds: number): Promise<void>;
};

/** What a room answers to all that happens, in the order in which it happens. */
async function live(world: World, first: AdmissionPolicy, history: readonly Event[]): Promise<unknown[]> {
  const { room, now, passes } = world;
  const concert = concertId(newId());
  const people = Array.from({ length: PEOPLE }, () => userId(newId()));
  const entries = new Map<number, QueueEntry>();
  let policy = first;

  async function told(state: EntryState): Promise<unknown> {
    if (state.status !== 'ACTIVE') return state.status === 'WAITING' ? state.position : 'expired';
    return { left: Math.ceil((state.expiresAt.getTime() - (await now())) / STEP_MS) };
  }

  async function answer(event: Event): Promise<unknown> {
    const entry = 'who' in event ? entries.get(event.who) : undefined;
    switch (event.kind) {
      case 'join': {
        const joined = await room
          .join(concert, people[event.who] ?? userId(''), { ...event, opening: 'fifo' })
          .catch(codeOf);
        if (typeof joined === 'string') return joined;
        entries.set(event.who, joined.entry);
        return [joined.entry.sequence, joined.fresh, await told(joined.state)];
      }
      case 'find':
        return entry && told(await room.find(entry));
      case 'leave':
        return entry && room.leave(entry);
      case 'extend':
        return entry && room.extend(entry, event.seconds * 1_000);
      case 'pass':
        return passes(concert, event.seconds * 1_000);
      case 'policy':
        policy = event.policy;
        return undefined;
      case 'admit':
        return room.admit(concert, policy);
      case 'read': {
        const { turnover: _, presentShare: __, ...figures } = await room.read(concert);
        return figures;
      }
    }
  }

  const answers: unknown[] = [];
  for (const event of history) answers.push(await answer(event));
  return answers;
}

function inMemory(): World {
  const clock = memoryClock();
  return {
    room: memoryQueue(clock, looseQueueRecords()),
    now: async () => clock.now(),
    passes: async (_, milliseconds) => clock.advance(milliseconds),
  };
}

const inRedis = (redis: RedisClient): World => ({
  room: redisQueue(redis, looseQueueRecords(), { rebuildSeconds: 60 }),
  async now() {
    const [seconds, microseconds] = await redis.time();
    return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
  },
  passes: (concert, milliseconds) => passAtQueue(redis, concert, milliseconds),
});

export type Runs = {
  readonly numRuns: number;
  /** Another one each time without it. */
  readonly seed?: number;
};

/** The scripts answer as the line in memory does. */
export async function expectSameDecisions(redis: RedisClient, runs: Runs): Promise<void> {
  const property = fc.asyncProperty(
    policies,
    fc.array(events, { maxLength: 60, size: 'max' }),
    async (policy, history) => {
      expect(await live(inRedis(redis), policy, history)).toEqual(await live(inMemory(), policy, history));
    },
  );
  await fc.assert(property, runs);
}

/** The scripts never let in more than the policy allows. Says how many they have let in. */
export async function expectWithinLimits(redis: RedisClient, runs: Runs): Promise<number> {
  let admissions = 0;
  const property = fc.asyncProperty(
    policies.filter(({ activeMax, admitPerWindow }) => activeMax + admitPerWindow > 0),
    fc.array(
      events.filter(({ kind }) => kind !== 'policy'),
      { maxLength: 80, size: 'max' },
    ),
    async (policy, history) => {
      const answers = await live(inRedis(redis), policy, history);
      const letIn: { at: number; count: number }[] = [];
      let now = 0;
      for (const [index, event] of history.entries()) {
        if (event.kind === 'pass') now += event.seconds;
        if (event.kind !== 'admit') continue;
        const { admitted, active } = answers[index] as Admission;
        letIn.push({ at: now, count: admitted });
        const recent = letIn.filter(({ at }) => at > now - policy.windowSeconds);
        const inWindow = recent.reduce((sum, { count }) => sum + count, 0);
        if (policy.admitPerWindow > 0) expect(inWindow).toBeLessThanOrEqual(policy.admitPerWindow);
        if (policy.activeMax > 0) expect(active).toBeLessThanOrEqual(policy.activeMax);
        admissions += admitted;
      }
    },
  );
  await fc.assert(property, runs);
  return admissions;
}

function codeOf(error: unknown): string {
  if (error instanceof Refusal) return error.code;
  throw error;
}
