import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll } from 'vitest';
import { onFreePort } from '#local/free-port.ts';
import { redisBinary } from '#local/redis-binary.ts';
import { temporaryDir } from './temporary-dir.ts';
import { until } from './until.ts';

/** A Redis that a test may take away: nobody else uses it. It writes its log, so it comes back with what it knew. */
export type OwnRedis = {
  readonly url: string;
  /** Kills it, without a farewell. */
  kill(): Promise<void>;
  /** Starts it again where it was, if it was killed. */
  restart(): Promise<void>;
  /** Stops it in its tracks: connections stay, answers do not come. */
  freeze(): void;
  thaw(): void;
};

/** Called at the top of a test file, where hooks are registered. */
export async function ownRedis(): Promise<OwnRedis> {
  const command = await redisBinary(() => {});
  const dir = await temporaryDir();
  let server: ChildProcess | undefined;

  const start = async (port: number) => {
    const log = ['--appendonly', 'yes', '--save', ''];
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir.path, ...log];
    server = spawn(command, args, { stdio: 'ignore' });
    const redis = new Redis(port, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    redis.on('error', () => {});
    await until('Redis answers', async () => (await redis.ping()) === 'PONG');
    redis.disconnect();
    return port;
  };
  const isRunning = () => server !== undefined && server.exitCode === null && server.signalCode === null;
  const kill = async () => {
    if (server === undefined || !isRunning()) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  };
  // A worker that ends early must not leave it behind.
  const orphanage = () => server?.kill('SIGKILL');
  process.once('exit', orphanage);
  afterAll(async () => {
    process.off('exit', orphanage);
    await kill();
    await dir.remove();
  });
  const port = await onFreePort(start);
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    restart: async () => {
      if (!isRunning()) await start(port);
    },
    freeze: () => server?.kill('SIGSTOP'),
    thaw: () => server?.kill('SIGCONT'),
  };
}
