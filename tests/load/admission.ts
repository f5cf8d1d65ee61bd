import { randomUUID } from 'node:crypto';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { queueKey } from '#adapters/redis/keys.ts';
import type { AdmissionPolicy } from '#domain/catalog/policy.ts';
import { type ConcertId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { Queue } from '#ports/queue/queue.ts';

/** Enough to keep Redis busy without a pause. */
const JOINS_IN_FLIGHT = 5_000;
const BATCH = 1_000;
const FLOOR_SCRIPT = `
local head, entering = redis.call('ZPOPMIN', KEYS[1], ARGV[1]), {}
for i = 1, #head, 2 do
  entering[i], entering[i + 1] = head[i + 1], head[i]
end
return redis.call('ZADD', KEYS[2], unpack(entering))`;

const everybodyIn: AdmissionPolicy = {
  activeMax: 1_000_000,
  admitPerWindow: 0,
  windowSeconds: 60,
  paused: false,
  sessionSeconds: 600,
  holdSeconds: 300,
  holdSecondsMax: 600,
  claimSeconds: 600,
  absentSeconds: 86_400,
  graceSeconds: 0,
};

/** New users join, each through the real script. Returns a sample of their queue entries, evenly spread. */
export async function fillQueue(
  queue: Queue,
  concertId: ConcertId,
  people: number,
  samples: number,
): Promise<QueueEntry[]> {
  const entries: QueueEntry[] = [];
  for (let joined = 0; joined < people; joined += JOINS_IN_FLIGHT) {
    const batch = Array.from({ length: Math.min(JOINS_IN_FLIGHT, people - joined) }, () =>
      queue.join(concertId, userId(randomUUID()), { waitingMax: people, opening: 'fifo' }),
    );
    for (const { entry } of await Promise.all(batch)) {
      if (entry.sequence % Math.floor(people / samples) === 0) entries.push(entry);
    }
  }
  return entries;
}

export async function usedBytes(redis: RedisClient): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}

/**
 * Milliseconds to admit a batch, measured in Node, beside two bare commands, which take the batch before off the same queue: a
 * copy would lie in memory in one piece, unlike a queue that was joined one by one.
 */
export async function measureAdmission(
  redis: RedisClient,
  queue: Queue,
  concertId: ConcertId,
  rounds: number,
): Promise<{ readonly floor: readonly number[]; readonly admit: readonly number[] }> {
  const waiting = queueKey(concertId, 'waiting');
  const entered = `${waiting}:floor-active`;
  const digest = (await redis.script('LOAD', FLOOR_SCRIPT)) as string;
  const floor: number[] = [];
  const admit: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const bare = await timed(() => redis.evalsha(digest, 2, waiting, entered, BATCH));
    const real = await timed(async () => {
      const { admitted } = await queue.admit(concertId, everybodyIn);
      if (admitted !== BATCH) throw new Error(`${admitted} people were let in, not ${BATCH}`);
    });
    if (round < 0) continue;
    floor.push(bare);
    admit.push(real);
  }
  await redis.unlink(entered);
  return { floor, admit };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
