import { expect, test } from 'vitest';
import { auditQueue } from '#commands/audits/audit-queue.ts';
import { joinAll, keepPolling, queueStatuses } from '#tests/support/crowd.ts';
import { ownSentinel } from '#tests/support/own-sentinel.ts';
import { until } from '#tests/support/until.ts';
import { startWorld } from '#tests/support/world.ts';

const EARLY = 100;
const LATE = 20;
/** Nobody's claim runs out: each polls far more often. */
const CLAIM_SECONDS = 600;
const POLL_SECONDS_MAX = 1;

const redis = await ownSentinel();
/** Nobody waits longer for the entries that the replica lacks. */
const world = await startWorld({ redisUrl: redis.url, settings: { REBUILD_SECONDS: '15' } });

test('clients that keep polling while the primary dies keep their entries, also those that the replica missed, and are admitted in order, before new ones', async () => {
  const concert = await world.openHall({ activeMax: 1 });
  await world.pool.query('UPDATE concerts SET claim_seconds = $2 WHERE concert_id = $1', [concert, CLAIM_SECONDS]);
  const early = await joinAll(await world.fans(EARLY), concert);
  const crowds = [keepPolling(early, POLL_SECONDS_MAX)];
  const everybodyWasTold = (since: number) => Promise.all(crowds.map((crowd) => crowd.everybodyWasTold(since)));
  await everybodyWasTold(0);
  await redis.untilCopied();
  await redis.stopCopying();
  const late = await joinAll(await world.fans(LATE), concert);
  crowds.push(keepPolling(late, POLL_SECONDS_MAX));
  await everybodyWasTold(0);
  const queue = [...early, ...late];

  await redis.primary.kill();
  await world.untilReady();
  // At every instance, whether or not it knows of the last entries.
  const newcomers = await Promise.all(world.instances.map((instance) => world.fan({ doors: [instance] })));
  let sequences: readonly number[] = [];
  await until('new users have joined', async () => {
    const answers = await Promise.all(newcomers.map((newcomer) => newcomer.join(concert)));
    sequences = answers.map(({ body }) => body.sequence ?? 0);
    return answers.every(({ status }) => status === 200);
  });
  expect(sequences.toSorted((a, b) => a - b)).toEqual(newcomers.map((_, index) => queue.length + 1 + index));
  await everybodyWasTold(performance.now());
  expect(queueStatuses(queue)).toEqual(queue.map((_, ahead) => (ahead === 0 ? 'in' : ahead)));

  await world.pool.query('UPDATE concerts SET active_max = $2 WHERE concert_id = $1', [concert, queue.length]);
  await Promise.all(crowds.map(({ over }) => over));
  expect(new Set(queueStatuses(queue))).toEqual(new Set(['in']));
  expect(crowds).toMatchObject(crowds.map(() => ({ overtaken: [], risen: [] })));
  await until('it is on record', async () => (await auditQueue(world.pool, concert)).counts.admitted >= queue.length);
  expect(await auditQueue(world.pool, concert)).toMatchObject({ inversions: { count: 0 }, duplicates: { count: 0 } });
});
