import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { installRedis } from './install-redis.ts';
import { LocalProblem } from './local-problem.ts';
import { onPath } from './on-path.ts';

/** The first version with the script and command behaviour that the Lua files need. Every Valkey is based on 7.2. */
const OLDEST_REDIS = 7;

/** Finds a Redis or Valkey server, or installs one if that needs no question. */
export async function redisBinary(say: (line: string) => void): Promise<string> {
  let found = await redisServers();
  if (found.length === 0) {
    const obstacle = await installRedis(say);
    if (obstacle !== undefined) throw withWaysOut(`No redis-server or valkey-server is on the PATH, and ${obstacle}.`);
    found = await redisServers();
  }

  const unfit: string[] = [];
  for (const path of found) {
    const { stdout } = await promisify(execFile)(path, ['--version']);
    // "Redis server v=7.0.15 sha=…" or "Valkey server v=8.1.1 sha=…"
    const [, product, version = 'unknown'] = /^(\w+) server v=([\d.]+)/i.exec(stdout) ?? [];
    if (product?.toLowerCase() === 'valkey' || Number.parseInt(version, 10) >= OLDEST_REDIS) return path;
    unfit.push(`${path} has version ${version}`);
  }
  throw withWaysOut(
    `Frontrow needs Valkey, or Redis ${OLDEST_REDIS}.0 or later (${unfit.join(', ') || 'none found'}).`,
  );
}

async function redisServers(): Promise<string[]> {
  return [...(await onPath('redis-server')), ...(await onPath('valkey-server'))];
}

function withWaysOut(problem: string): LocalProblem {
  return new LocalProblem(
    [
      `${problem} Either`,
      '  - install Redis or Valkey, so that redis-server or valkey-server is on the PATH, or',
      '  - run everything in containers: docker compose up, or',
      '  - use a Redis of your own: set REDIS_URL=redis://host:6379.',
    ].join('\n'),
  );
}
