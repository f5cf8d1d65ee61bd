import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onFreePort } from '#local/free-port.ts';
import { endAfterwards, type RedisProcess, startRedisProcess } from './redis-process.ts';
import { temporaryDir } from './temporary-dir.ts';
import { until } from './until.ts';

const SENTINELS = 3;
const HOST = '127.0.0.1';
const PRIMARY_NAME = 'frontrow';
const DOWN_AFTER_MS = 1_000;
/** Sentinels take no replica for a primary that was cut off for longer than so many times the time after which one is down. */
const CUT_OFF_MAX = 10;

/** A primary with a replica, and sentinels that watch over them, which nobody else uses. */
export type OwnSentinel = {
  readonly url: string;
  readonly primary: RedisProcess;
  readonly replica: RedisProcess;
  /** Waits until the replica has all that the primary has executed so far. */
  untilCopied(): Promise<void>;
  /** From now on the replica is told nothing new, as if the primary died before it could. */
  stopCopying(): Promise<void>;
};

/** Called at the top of a test file, where hooks are registered. */
export async function ownSentinel(): Promise<OwnSentinel> {
  const dir = await temporaryDir();
  const servers: RedisProcess[] = [];
  endAfterwards(() => servers, dir);
  const started = async (start: (port: number) => Promise<RedisProcess>) => {
    const server = await onFreePort(start);
    servers.push(server);
    return server;
  };

  // A replica is brought up to date at once, not after the five seconds in which more of them might come.
  const settings = ['--bind', HOST, '--dir', dir.path, '--save', '', '--repl-diskless-sync-delay', '0'];
  const startServer = (more: readonly string[]) =>
    started((port) => startRedisProcess(port, ['--port', String(port), ...settings, ...more]));
  const primary = await startServer([]);
  const replica = await startServer(['--replicaof', HOST, String(primary.port)]);
  // Sentinels ask a server for its replicas when they first see it, and then every ten seconds.
  await asking(replica.port, 'the replica follows', async (redis) =>
    /master_link_status:up/.test(await redis.info('replication')),
  );

  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, (_, index) =>
      started(async (port) => {
        const path = join(dir.path, `sentinel-${index}.conf`);
        await writeFile(path, sentinelSettings(port, primary.port, dir.path));
        return startRedisProcess(port, [path, '--sentinel']);
      }),
    ),
  );
  await Promise.all(sentinels.map(({ port }) => asking(port, 'the sentinels know each other', knowsAll)));

  let cutOffAt: number | undefined;
  async function kill(): Promise<void> {
    // However long the test took since then.
    const cutOffMs = cutOffAt === undefined ? 0 : performance.now() - cutOffAt;
    const downAfterMs = Math.ceil(DOWN_AFTER_MS + (2 * cutOffMs) / CUT_OFF_MAX);
    await Promise.all(
      sentinels.map(({ port }) =>
        asking(port, 'the sentinels know when it is down', async (redis) => {
          const answer = await redis.call('SENTINEL', 'SET', PRIMARY_NAME, 'down-after-milliseconds', downAfterMs);
          return answer === 'OK';
        }),
      ),
    );
    await primary.kill();
  }
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `${HOST}:${port}`).join()}/${PRIMARY_NAME}`,
    primary: { ...primary, kill },
    replica,
    untilCopied: () =>
      asking(primary.port, 'the replica has everything', async (redis) => {
        // WAIT is about the writes of the connection that asks.
        await redis.publish('copied', '');
        return (await redis.wait(1, 1_000)) > 0;
      }),
    stopCopying() {
      cutOffAt = performance.now();
      return asking(primary.port, 'the replica is cut off', async (redis) => {
        await redis.call('ACL', 'SETUSER', 'default', '-psync', '-sync');
        await redis.call('CLIENT', 'KILL', 'TYPE', 'replica');
        return /connected_slaves:0/.test(await redis.info('replication'));
      });
    },
  };
}

function sentinelSettings(port: number, primaryPort: number, dir: string): string {
  return [
    `port ${port}`,
    `bind ${HOST}`,
    `dir ${dir}`,
    `sentinel monitor ${PRIMARY_NAME} ${HOST} ${primaryPort} ${Math.floor(SENTINELS / 2) + 1}`,
    `sentinel down-after-milliseconds ${PRIMARY_NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${PRIMARY_NAME} 3000`,
    '',
  ].join('\n');
}

async function knowsAll(sentinel: Redis): Promise<boolean> {
  const primary = (await sentinel.call('SENTINEL', 'MASTER', PRIMARY_NAME)) as string[];
  const figure = (name: string) => Number(primary[primary.indexOf(name) + 1]);
  return figure('num-slaves') === 1 && figure('num-other-sentinels') === SENTINELS - 1;
}

async function asking(port: number, what: string, holds: (redis: Redis) => Promise<boolean>): Promise<void> {
  // RESP2, in which a sentinel's answer is a list and no map.
  const redis = new Redis(port, HOST, { enableReadyCheck: false, protocol: 2 });
  redis.on('error', () => {});
  try {
    await until(what, () => holds(redis));
  } finally {
    redis.disconnect();
  }
}
