import { Pool } from 'pg';
import { connectRedis } from '#adapters/redis/client/connect-redis.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { queueKey } from '#adapters/redis/keys.ts';
import { auditHoldKeys } from '#commands/audits/audit-hold-keys.ts';
import { auditQueue } from '#commands/audits/audit-queue.ts';
import { startCrowd, startFrontrow } from '#tests/load/processes.ts';
import { contradictions, overdue } from '#tests/support/books.ts';
import { SECRETS } from '#tests/support/instance.ts';
import { temporaryDir } from '#tests/support/temporary-dir.ts';
import { until } from '#tests/support/until.ts';
import { untilTold } from '#tests/support/until-told.ts';
import { type Calibration, calibrationOf } from './calibration.ts';
import type { CrowdResult, Progress } from './crowd.ts';
import { startFleet } from './fleet.ts';
import { type RushPlan, stageRush } from './stage-rush.ts';
import { type Check, refills, verdict } from './verdict.ts';
import { watchSessions } from './watch-sessions.ts';

/** Where it takes place. */
export type Grounds = {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** About once a second. */
  readonly onProgress: (now: Standings) => void;
  readonly say: (line: string) => void;
};

export type Standings = Progress & { readonly waiting: number; readonly active: number };

export type RushResult = {
  readonly checks: readonly Check[];
  readonly crowd: CrowdResult;
  readonly refillMs: readonly number[];
  readonly calibration: Calibration;
  /** How many were passed over at once, at most. */
  readonly passedOverMost: number;
  /** Between two looks at who is in. */
  readonly lookGapsMs: readonly number[];
  /** Processor time during the rush, all instances together. */
  readonly serverCpuSeconds: number;
  readonly redisCpuSeconds: number;
  readonly versions: { readonly redis: string; readonly postgres: string };
};

/** Of our own connection, on a machine that everything shares. */
const PATIENCE_MS = 20_000;
/** Once everybody has gone. */
const TOLD_MS_MAX = 60_000;
/** What happened is put on record twice a second, a thousand events at a time. */
const RECORD_MS_MAX = 60_000;
/** A crowd that has not told by then what became of it does not. */
const HANDOVER_SECONDS_MAX = 30;

/**
 * An opening as on a bad day: everybody comes within seconds, some give up, some fall silent and come back, sessions turn
 * over, and in the middle an instance is killed and another one takes its place. Ends by itself, soon after `secondsMax`
 * at the latest, and says which guarantees held. Whatever it has started ends with `ending`.
 */
export async function rush(plan: RushPlan, grounds: Grounds, ending: AsyncDisposableStack): Promise<RushResult> {
  const dir = await temporaryDir();
  ending.defer(dir.remove);
  const pool = new Pool({ connectionString: grounds.databaseUrl, max: 4 });
  ending.defer(() => pool.end());
  const { redis, close } = await connectRedis({ url: grounds.redisUrl, commandTimeoutMs: PATIENCE_MS }, (error) =>
    grounds.say(`Redis: ${error.message}`),
  );
  ending.defer(close);

  const people = await stageRush(pool, plan);
  const settings = { DATABASE_URL: grounds.databaseUrl, REDIS_URL: grounds.redisUrl, ...SECRETS };
  async function start() {
    const server = await startFrontrow(dir.path, settings);
    ending.defer(server.stop);
    return server;
  }
  const fleet = await startFleet(plan.instances, start, grounds.say);
  grounds.say(`${plan.instances} instances are ready for ${plan.fans} people.`);

  const watch = watchSessions(redis, people.concertId, plan.activeMax);
  ending.defer(() => watch.stop().catch(() => {}));
  let replacing: Promise<void> | undefined;
  const crowd = startCrowd((progress) => {
    grounds.onProgress({ ...progress, waiting: watch.waiting, active: watch.active });
    if (replacing !== undefined || progress.done + progress.left < plan.fans / 2) return;
    replacing = replace();
    // Told below; there is nothing to wait for any more.
    replacing.catch(crowd.halt);
  });
  ending.defer(crowd.stop);
  async function replace(): Promise<void> {
    await fleet.replaceOldest();
    crowd.move(fleet.urls);
  }
  const before = { servers: fleet.cpuSeconds(), redis: await cpuSecondsOf(redis) };
  await crowd.begin({ ...people, urls: fleet.urls });
  const limits = [
    setTimeout(crowd.halt, plan.secondsMax * 1_000),
    setTimeout(crowd.stop, (plan.secondsMax + HANDOVER_SECONDS_MAX) * 1_000),
  ];
  const result = await crowd.result.finally(() => {
    for (const limit of limits) clearTimeout(limit);
  });
  const replaced = await replacing?.then(() => true);
  await watch.stop();
  const left = await untilTold(pool, { limitMs: TOLD_MS_MAX }).then(
    () => [],
    (error: Error) => [error.message],
  );
  const untold = [...left, ...(await overdue(pool))];
  const booked = await contradictions(pool);
  const marks = await auditHoldKeys(pool, redis);
  const recorded = queueKey(people.concertId, 'log');
  await until('all that happened is on record', async () => (await redis.xlen(recorded)) === 0, RECORD_MS_MAX);
  const audit = await auditQueue(pool, people.concertId);
  const used = { servers: fleet.cpuSeconds(), redis: await cpuSecondsOf(redis) };

  return {
    checks: [
      ...verdict({ ...plan, ...result, entries: watch.entries, activeMost: watch.activeMost }),
      {
        guarantee: 'the record of the line shows nobody let in out of order',
        offences: audit.inversions.count,
        seen: `${audit.counts.admitted} admissions, ${audit.counts['passed-over']} passed over, ${audit.counts.returned} came back`,
      },
      {
        guarantee: 'the record of the line shows nobody let in twice',
        offences: audit.duplicates.count,
        seen: `${audit.counts.forgotten} forgotten, ${audit.counts.left} left`,
      },
      {
        guarantee: 'the record of the line shows nobody let in whose place was over',
        offences: audit.revived.count,
        seen: `${audit.counts.restored} taken back`,
      },
      {
        guarantee: 'the books of seats and money agree',
        offences: booked.length,
        seen: booked[0] ?? 'no contradictions',
      },
      {
        guarantee: 'Redis and other services are told of all that happened',
        offences: untold.length,
        seen: untold[0] ?? 'nothing is left in the outbox, no event is left to relay',
      },
      {
        guarantee: 'Redis agrees with the books on who holds which seat',
        offences: marks.violations.length,
        seen: marks.violations[0]?.first[0] ?? `${marks.free} free seats compared`,
      },
      {
        guarantee: 'an instance is killed in the middle, and another takes its place',
        offences: replaced ? 0 : 1,
        seen: `${result.retries} requests went to another door`,
      },
    ],
    crowd: result,
    refillMs: refills(watch, result.records, plan.activeMax),
    calibration: calibrationOf(result.records, watch.entries),
    passedOverMost: watch.passedOverMost,
    lookGapsMs: watch.gapsMs,
    serverCpuSeconds: used.servers - before.servers,
    redisCpuSeconds: used.redis - before.redis,
    versions: await versionsOf(redis, pool),
  };
}

async function cpuSecondsOf(redis: RedisClient): Promise<number> {
  const used = await redis.info('cpu');
  return [/^used_cpu_user:(\S+)/m, /^used_cpu_sys:(\S+)/m].reduce((sum, kind) => sum + Number(kind.exec(used)?.[1]), 0);
}

async function versionsOf(redis: RedisClient, pool: Pool): Promise<RushResult['versions']> {
  const [postgres] = (await pool.query<{ server_version: string }>('SHOW server_version')).rows;
  return {
    redis: /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? '',
    postgres: postgres?.server_version ?? '',
  };
}
