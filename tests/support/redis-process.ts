import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll } from 'vitest';
import { LocalProblem } from '#local/local-problem.ts';
import { redisBinary } from '#local/redis-binary.ts';
import { reaped } from './reaper.ts';
import { until } from './until.ts';

/** A server that a test may take away: nobody else uses it. */
export type RedisProcess = {
  readonly port: number;
  /** Kills it, without a farewell. */
  kill(): Promise<void>;
  /** Stops it in its tracks: connections stay, answers do not come. */
  freeze(): void;
  thaw(): void;
};

/**
 * Starts a server, a sentinel too, and waits until it answers. It ends with the test file. Called at the top of one, where
 * hooks are registered, or by what is.
 *
 * @throws LocalProblem when it ends instead, with what it said
 */
export async function startRedisProcess(port: number, args: readonly string[]): Promise<RedisProcess> {
  const command = await redisBinary(() => {});
  const server = reaped(spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] }));
  const isRunning = () => server.exitCode === null && server.signalCode === null;
  const ended = once(server, 'exit');
  const kill = async () => {
    server.kill('SIGKILL');
    await ended;
  };

  let lastWords = '';
  server.stdout.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-2_000);
  });
  const redis = new Redis(port, { retryStrategy: () => 20, maxRetriesPerRequest: null, enableReadyCheck: false });
  redis.on('error', () => {});
  try {
    await until('Redis answers', async () => {
      if (!isRunning()) throw new LocalProblem(lastWords);
      // Another server may have this port.
      const info = await Promise.race([redis.info('server'), ended]);
      return typeof info === 'string' && info.includes(`process_id:${server.pid}\r`);
    });
  } catch (error) {
    await kill();
    throw error;
  } finally {
    redis.disconnect();
  }
  return { port, kill, freeze: () => server.kill('SIGSTOP'), thaw: () => server.kill('SIGCONT') };
}

/** Ends servers with the test file, and takes away what they wrote. Called at the top of the file, where hooks are registered. */
export function endAfterwards(servers: () => readonly RedisProcess[], dir: { remove(): Promise<void> }): void {
  afterAll(async () => {
    await Promise.all(servers().map(({ kill }) => kill()));
    await dir.remove();
  });
}
