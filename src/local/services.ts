import { resolve } from 'node:path';
import { takeDataDir } from './data-dir.ts';
import { LocalProblem } from './local-problem.ts';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import { serverHome } from './server-home.ts';

export type LocalServicesOptions = {
  /** Holds all data, and is created if missing. One process at a time uses it. */
  readonly dataDir: string;
  /** Whether acknowledged writes survive a machine crash. False for tests, which would wait for the disk. */
  readonly durable: boolean;
  readonly postgres: boolean;
  readonly redis: boolean;
  say(line: string): void;
};

export type LocalServices = {
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  /** Ends the servers within seconds, whatever they are doing. */
  stop(): Promise<void>;
};

/**
 * Starts a real Postgres and a real Redis on the loopback interface, which end with this process.
 *
 * @throws LocalProblem if the user can fix the problem
 */
export async function startLocalServices(options: LocalServicesOptions): Promise<LocalServices> {
  const { durable, say } = options;
  const dataDir = resolve(options.dataDir);
  const entry = await takeDataDir(dataDir).catch((error) => {
    throw explained(error, dataDir);
  });

  const stops: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;
  function stop(): Promise<void> {
    stopping ??= Promise.all(stops.map((stopServer) => stopServer())).then(entry.release);
    return stopping;
  }
  const started = async (server: Promise<{ url: string; stop(): Promise<void> }>) => {
    const { url, stop } = await server;
    stops.push(stop);
    return url;
  };

  try {
    const home = await serverHome(dataDir, say);
    const starts = [
      options.postgres ? started(startPostgres({ home, durable, say })) : undefined,
      options.redis ? started(startRedis({ home, durable, say })) : undefined,
    ] as const;
    // Waits for both even if one fails, as the other cannot be stopped while it starts.
    await Promise.allSettled(starts);
    const [databaseUrl, redisUrl] = await Promise.all(starts);
    return { ...(databaseUrl && { databaseUrl }), ...(redisUrl && { redisUrl }), stop };
  } catch (error) {
    await stop();
    throw explained(error as Error, dataDir);
  }
}

function explained(error: NodeJS.ErrnoException, dataDir: string): Error {
  if (error.code !== 'EACCES' && error.code !== 'EPERM') return error;
  return new LocalProblem(
    [
      `${dataDir} cannot be used (${error.message}). Either`,
      '  - start as its owner, or delete it, or',
      '  - name another folder: set DATA_DIR, or',
      '  - use a Postgres and a Redis of your own: set DATABASE_URL and REDIS_URL.',
    ].join('\n'),
    { cause: error },
  );
}
