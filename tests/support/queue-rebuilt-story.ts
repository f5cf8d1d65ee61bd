import { expect } from 'vitest';
import type { RedisConnection } from '#adapters/redis/client/connect-redis.ts';
import { auditQueue } from '#commands/audits/audit-queue.ts';
import { joinAll, keepPolling, queueStatuses } from './crowd.ts';
import { endRebuild } from './queue-clock.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

/** Nobody's claim runs out: each polls far more often. */
const CLAIM_SECONDS = 600;

type Plan = {
  readonly people: number;
  readonly activeMax: number;
  /** So many are let in before it happens, at least. */
  readonly letInBefore: number;
  readonly pollSecondsMax: number;
};

/** People poll while Redis forgets everything, and until all of them are let in. All instances rebuild a queue for longer than that takes. */
export async function pollThroughLoss(world: World, { redis }: RedisConnection, plan: Plan): Promise<void> {
  const { people, activeMax, letInBefore, pollSecondsMax } = plan;
  const concert = await world.openHall({ activeMax });
  await world.pool.query('UPDATE concerts SET claim_seconds = $2 WHERE concert_id = $1', [concert, CLAIM_SECONDS]);
  const queue = await joinAll(await world.fans(people), concert);
  const crowd = keepPolling(queue, pollSecondsMax);
  await crowd.everybodyWasTold(0);
  const letIn = () => queue.filter(({ told }) => told?.queueStatus === 'in').length;
  await until('some are let in', () => letIn() >= letInBefore);

  await redis.flushall();
  const newcomer = await world.fan();
  await until('it is noticed', async () => (await newcomer.join(concert)).status === 503);
  const before = letIn();
  // As those do who poll as told within the time that the queue waits for them.
  await crowd.everybodyWasTold(performance.now());
  expect((await newcomer.join(concert)).status).toBe(503);
  expect(letIn() - before, 'let in meanwhile').toBeLessThanOrEqual(activeMax);
  // Redis may have lost an admission of its last moments that was not on record yet. None of the later ones.
  const stillWaiting = people - letIn();
  await endRebuild(redis, concert);
  await until('the queue is rebuilt', async () => (await newcomer.join(concert)).status !== 503);
  const { body } = await newcomer.join(concert);
  expect(body.sequence).toBe(people + 1);

  await world.pool.query('UPDATE concerts SET active_max = $2 WHERE concert_id = $1', [concert, people]);
  await crowd.over;
  await newcomer.untilActive();
  expect(new Set(queueStatuses(queue))).toEqual(new Set(['in']));
  // Thousands are let in within a second: who far back hears of it first says nothing of the order. The record does.
  expect(crowd.risen).toEqual([]);
  await until(
    'all who were let in since, the newcomer too, are on record',
    async () => (await auditQueue(world.pool, concert)).counts.admitted >= stillWaiting + 1,
  );
  expect(await auditQueue(world.pool, concert)).toMatchObject({ inversions: { count: 0 }, duplicates: { count: 0 } });
}
