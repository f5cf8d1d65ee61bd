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
  claimSeconds: 600,
  absentSeconds: 86_400,
  graceSeconds: 0,
};

/** So many new people join, each through the real script. Answers the places of some of them, evenly spread. */
export async function fillLine(
  room: Queue,
  concertId: ConcertId,
  people: number,
  samples: number,
): Promise<QueueEntry[]> {
  const entries: QueueEntry[] = [];
  for (let joined = 0; joined < people; joined += JOINS_IN_FLIGHT) {
    const batch = Array.from({ length: Math.min(JOINS_IN_FLIGHT, people - joined) }, () =>
      room.join(concertId, userId(randomUUID()), { waitingMax: people, opening: 'fifo' }),
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
 * Milliseconds to let a batch in, seen from Node, beside two bare commands, which take the batch before off the same line: a
 * copy would lie in memory in one piece, which no line does whose people came one by one.
 */
export async function measureAdmission(
  redis: RedisClient,
  room: Queue,
  concertId: ConcertId,
  rounds: number,
): Promise<{ readonly floor: readonly number[]; readonly admit: readonly number[] }> {
  const line = queueKey(concertId, 'waiting');
  const entered = `${line}:floor-active`;
  const digest = (await redis.script('LOAD', FLOOR_SCRIPT)) as string;
  const floor: number[] = [];
  const admit: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const bare = await timed(() => redis.evalsha(digest, 2, line, entered, BATCH));
    const real = await timed(async () => {
      const { admitted } = await room.admit(concertId, everybodyIn);
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
