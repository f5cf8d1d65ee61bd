import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { auditLine } from '#audits/audit-line.ts';
import { joinLine, keepPolling, standings } from '#tests/support/crowd.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { until } from '#tests/support/until.ts';
import { startWorld } from '#tests/support/world.ts';

const PEOPLE = 10_000;
/** Half of it, and a fifth of that, is the longest that anybody is told to wait between two polls. */
const CLAIM_SECONDS = 20;
const REBUILD_SECONDS = 15;
/** So many are let in before it happens, at least. */
const LET_IN_BEFORE = 40;

const redis = await ownRedis();
const settings = { REBUILD_SECONDS: String(REBUILD_SECONDS) };
const world = await startWorld({ instances: 3, redisUrl: redis.url, settings });

test('ten thousand who keep polling while Redis forgets everything are let in in their old order, before anybody new', async () => {
  const concert = await world.openHall({ activeMax: 20 });
  await world.pool.query('UPDATE concerts SET claim_seconds = $2 WHERE concert_id = $1', [concert, CLAIM_SECONDS]);
  const line = await joinLine(await world.fans(PEOPLE), concert);
  const crowd = keepPolling(line);
  await crowd.everybodyWasTold(0);
  const letIn = () => line.filter(({ told }) => told?.standing === 'in').length;
  await until('some are let in', () => letIn() >= LET_IN_BEFORE, 30_000);

  const admin = new Redis(redis.url);
  await admin.flushall();
  admin.disconnect();
  const newcomer = await world.fan();
  await until('it is noticed', async () => (await newcomer.join(concert)).status === 503);
  const before = letIn();
  await until(
    'the line is rebuilt',
    async () => (await newcomer.join(concert)).status === 201,
    3_000 * REBUILD_SECONDS,
  );
  expect(letIn() - before, 'let in meanwhile').toBeLessThanOrEqual(20);
  const { body } = await newcomer.join(concert);
  expect(body.sequence).toBe(PEOPLE + 1);

  await world.pool.query('UPDATE concerts SET active_max = $2 WHERE concert_id = $1', [concert, PEOPLE]);
  const isIn = async () => (await newcomer.poll()).body.status === 'ACTIVE';
  await Promise.all([crowd.over, until('the newcomer is in', isIn, 100_000)]);
  expect(new Set(standings(line))).toEqual(new Set(['in']));
  // Thousands are let in within a second: who far back hears of it first says nothing of the order. The record does.
  expect(crowd.risen).toEqual([]);
  await until('it is on record', async () => (await auditLine(world.pool, concert)).counts.admitted > PEOPLE, 30_000);
  expect(await auditLine(world.pool, concert)).toMatchObject({ inversions: { count: 0 }, duplicates: { count: 0 } });
}, 240_000);
