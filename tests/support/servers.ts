import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startLocalServices } from '#local/services.ts';
import { temporaryDir } from './temporary-dir.ts';

type Server = { readonly url: string; readonly origin: string; stop(): Promise<unknown> };
export type TestServers = { readonly databaseUrl: string; readonly redisUrl: string; stop(): Promise<void> };
type Say = (line: string) => void;

/** An engine that is there answers in a tenth of this; one that is starting or stuck is not waited for. */
const DOCKER_LIMIT_MS = 2_000;
const POSTGRES_IMAGE = 'postgres:18';
const REDIS_IMAGE = 'redis:8';

/**
 * Servers for one test run, each decided by itself: the one that the environment names; else a container, where a Docker
 * engine answers; else one started from the files at hand. No way leads past a real server.
 */
export async function startTestServers(say: Say): Promise<TestServers> {
  const { TEST_DATABASE_URL, TEST_REDIS_URL } = process.env;
  const contained = !(TEST_DATABASE_URL && TEST_REDIS_URL) && (await dockerAnswers());
  const starts = [
    TEST_DATABASE_URL
      ? named('TEST_DATABASE_URL', TEST_DATABASE_URL)
      : contained
        ? postgresContainer().catch(instead(() => localServer('postgres', say), say))
        : localServer('postgres', say),
    TEST_REDIS_URL
      ? named('TEST_REDIS_URL', TEST_REDIS_URL)
      : contained
        ? redisContainer().catch(instead(() => localServer('redis', say), say))
        : localServer('redis', say),
  ] as const;

  async function stop(): Promise<void> {
    const settled = await Promise.allSettled(starts);
    await Promise.all(settled.map((start) => start.status === 'fulfilled' && start.value.stop()));
  }
  try {
    const [postgres, redis] = await Promise.all(starts);
    say(`Test servers: Postgres from ${postgres.origin}, Redis from ${redis.origin}.`);
    return { databaseUrl: postgres.url, redisUrl: redis.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function named(name: string, url: string): Promise<Server> {
  return { url, origin: name, stop: async () => {} };
}

async function dockerAnswers(): Promise<boolean> {
  const options = { timeout: DOCKER_LIMIT_MS };
  return promisify(execFile)('docker', ['info', '--format', '{{.ServerVersion}}'], options).then(
    ({ stdout }) => stdout.trim() !== '',
    () => false,
  );
}

async function postgresContainer(): Promise<Server> {
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql');
  const settings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'];
  const container = await new PostgreSqlContainer(POSTGRES_IMAGE)
    .withCommand(['postgres', ...settings.flatMap((setting) => ['-c', setting])])
    .start();
  return { url: container.getConnectionUri(), origin: `container ${POSTGRES_IMAGE}`, stop: () => container.stop() };
}

async function redisContainer(): Promise<Server> {
  const { RedisContainer } = await import('@testcontainers/redis');
  const container = await new RedisContainer(REDIS_IMAGE)
    .withCommand(['redis-server', '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'])
    .start();
  return { url: container.getConnectionUrl(), origin: `container ${REDIS_IMAGE}`, stop: () => container.stop() };
}

/** An engine without the images and without a registry to pull them from is as good as none. */
function instead(startLocal: () => Promise<Server>, say: Say): (error: Error) => Promise<Server> {
  return (error) => {
    say(`Docker answers but could not start a container (${error.message}); a local server is used instead.`);
    return startLocal();
  };
}

async function localServer(kind: 'postgres' | 'redis', say: Say): Promise<Server> {
  const dir = await temporaryDir();
  const wanted = { postgres: kind === 'postgres', redis: kind === 'redis' };
  try {
    const { databaseUrl, redisUrl, stop } = await startLocalServices({
      dataDir: dir.path,
      durable: false,
      ...wanted,
      say,
    });
    const url = databaseUrl ?? redisUrl;
    if (url === undefined) throw new RangeError(`no ${kind} was started`);
    return { url, origin: 'a local server in a temporary folder', stop: () => stop().finally(dir.remove) };
  } catch (error) {
    await dir.remove();
    throw error;
  }
}
