import { createHash, randomUUID } from 'node:crypto';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { scripts } from '#adapters/redis/scripts.ts';
import { type ConcertId, userId } from '#domain/ids.ts';
import type { Queue } from '#ports/queue/queue.ts';
import { until } from '#tests/support/until.ts';

export type DrawsMeasured = {
  /** How long each draw took. */
  readonly seconds: readonly number[];
  /** Milliseconds for which Redis was at each step of a draw, in the shortest of all draws: what the step itself takes. */
  readonly stepsMs: readonly number[];
  /** The longest that anything took in any draw, whatever it waited for. */
  readonly longestMs: number;
};

type Noted = [id: number, at: number, microseconds: number, command: readonly string[]];

const REGISTERED_AT_ONCE = 5_000;
/** Less than a step takes. */
const NOTED_MICROSECONDS = 100;
/** More than there are steps. */
const NOTED_MAX = 100_000;
const WARM_UP = 1_000;

/** The two that grow: with the number of people, and with that of a batch. */
const DRAWING = new Set([scripts.begin, scripts.place].map(({ lua }) => createHash('sha1').update(lua).digest('hex')));

/**
 * So many people register for each concert, and lots are drawn among them, while Redis notes how long each of its steps
 * takes. All draws have the same steps, one after the other, and whoever else wants the core comes at any time: so the
 * shortest of each step is nearest to what it takes by itself.
 */
export async function measureDraws(
  redis: RedisClient,
  queue: Queue,
  [first, ...concertIds]: readonly ConcertId[],
  people: number,
): Promise<DrawsMeasured> {
  // So that Redis knows the scripts by their digests.
  if (first !== undefined) await drawn(redis, queue, first, WARM_UP);
  const draws: Drawn[] = [];
  for (const concertId of concertIds) draws.push(await drawn(redis, queue, concertId, people));
  const [steps = 0, ...others] = draws.map(({ stepsMs }) => stepsMs.length);
  if (others.some((count) => count !== steps)) throw new Error(`draws have ${steps} and ${others} steps`);
  return {
    seconds: draws.map(({ seconds }) => seconds),
    stepsMs: Array.from({ length: steps }, (_, step) => Math.min(...draws.map(({ stepsMs }) => stepsMs[step] ?? 0))),
    longestMs: Math.max(...draws.map(({ longestMs }) => longestMs)),
  };
}

type Drawn = { readonly seconds: number; readonly stepsMs: readonly number[]; readonly longestMs: number };

async function drawn(redis: RedisClient, queue: Queue, concertId: ConcertId, people: number): Promise<Drawn> {
  for (let registered = 0; registered < people; registered += REGISTERED_AT_ONCE) {
    const batch = Array.from({ length: Math.min(REGISTERED_AT_ONCE, people - registered) }, () =>
      queue.join(concertId, userId(randomUUID()), { waitingMax: people, opening: 'lottery' }),
    );
    await Promise.all(batch);
  }
  await until('nothing is being freed', async () => /lazyfree_pending_objects:0\r/.test(await redis.info('memory')));
  await redis.config('SET', 'slowlog-max-len', NOTED_MAX);
  await redis.slowlog('RESET');
  await redis.config('SET', 'slowlog-log-slower-than', NOTED_MICROSECONDS);
  const started = performance.now();
  await queue.drawLots(concertId);
  const seconds = (performance.now() - started) / 1_000;
  await redis.config('SET', 'slowlog-log-slower-than', -1);
  const noted = ((await redis.slowlog('GET', NOTED_MAX)) as Noted[]).reverse();
  const msOf = ([, , microseconds]: Noted) => microseconds / 1_000;
  return {
    seconds,
    stepsMs: noted.filter(([, , , [, digest = '']]) => DRAWING.has(digest)).map(msOf),
    longestMs: noted.map(msOf).reduce((longest, ms) => Math.max(longest, ms), 0),
  };
}
