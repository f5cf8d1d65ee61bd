import { expect } from 'vitest';
import { auditQueue } from '#commands/audits/audit-queue.ts';
import { joinAll, keepPolling, queueStatuses } from './crowd.ts';
import type { OwnSentinel } from './own-sentinel.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

/** Nobody's claim runs out: each polls far more often. */
const CLAIM_SECONDS = 600;

type Plan = {
  readonly people: number;
  /** How many are let in at a time, in the end. */
  readonly round: number;
  readonly pollSecondsMax: number;
};

/** People poll while the primary of Redis dies, and until all of them are let in. Says how their polls were answered. */
export async function pollThroughFailover(world: World, redis: OwnSentinel, { people, round, pollSecondsMax }: Plan) {
  const concert = await world.openHall({ activeMax: 1 });
  const decide = (column: 'active_max' | 'claim_seconds', value: number) =>
    world.pool.query(`UPDATE concerts SET ${column} = $2 WHERE concert_id = $1`, [concert, value]);
  await decide('claim_seconds', CLAIM_SECONDS);
  const queue = await joinAll(await world.fans(people), concert);
  const crowd = keepPolling(queue, pollSecondsMax);
  await crowd.everybodyWasTold(0);

  await redis.untilCopied();
  await redis.primary.kill();
  await world.untilReady();
  await crowd.everybodyWasTold(performance.now());
  expect(queueStatuses(queue)).toEqual(queue.map((_, ahead) => (ahead === 0 ? 'in' : ahead)));

  await decide('active_max', round);
  await crowd.over;
  expect(new Set(queueStatuses(queue))).toEqual(new Set(['in']));
  await until('it is on record', async () => (await auditQueue(world.pool, concert)).counts.admitted >= people);
  expect(await auditQueue(world.pool, concert)).toMatchObject({ inversions: { count: 0 }, duplicates: { count: 0 } });
  return crowd;
}
