import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeTemplate } from '#tests/support/database.ts';
import { SECRETS } from '#tests/support/instance.ts';
import { reaped } from '#tests/support/reaper.ts';
import { residentMegabytes } from '#tests/support/resident-megabytes.ts';
import { startTestServers } from '#tests/support/servers.ts';
import { temporaryDir } from '#tests/support/temporary-dir.ts';
import { runCommand } from './command.ts';
import { cpuSecondsOf } from './processes.ts';
import { spreadOf } from './spread.ts';

// `npm run bench:start`: how soon an instance is ready, how much memory it takes then, and what it costs while it has neither
// Redis nor Postgres. Three minutes, on Linux.

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const STARTS = 7;
/** After the last module that is loaded later, and the first run of every job. */
const RESTED_MS = 3_000;
/** The back-off of the jobs has grown to its longest. */
const OUTAGE_BEFORE_MS = 75_000;
const OUTAGE_MS = 60_000;

type Started = { readonly readyMs: number; readonly pid: number; stop(): Promise<void> };

/** From the spawn to the first 200 of `/readyz`, as an operator starts it. */
async function startInstance(env: Readonly<Record<string, string>>): Promise<Started> {
  const spawnedAt = performance.now();
  const child = reaped(
    spawn(process.execPath, [MAIN], {
      // Away from the repository, where a developer's `.env` may be.
      cwd: tmpdir(),
      env: { PATH: process.env.PATH, NODE_ENV: 'production', HOST: '127.0.0.1', PORT: '0', ...SECRETS, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  const ended = once(child, 'exit');
  async function stop(): Promise<void> {
    child.kill();
    await ended;
  }
  for await (const line of createInterface({ input: child.stdout })) {
    const [url] = /http:\/\/127\.0\.0\.1:\d+(?=\/readyz)/.exec(line) ?? [];
    if (url === undefined) continue;
    while (!(await fetch(`${url}/readyz`)).ok) await pause(1);
    const readyMs = performance.now() - spawnedAt;
    child.stdout.resume();
    return { readyMs, pid: child.pid ?? 0, stop };
  }
  throw new Error('the instance did not start');
}

await runCommand(async (ending) => {
  const dir = await temporaryDir();
  ending.defer(dir.remove);
  const servers = await startTestServers(console.log);
  let areUp = true;
  async function takeAway(): Promise<void> {
    if (areUp) await servers.stop();
    areUp = false;
  }
  ending.defer(takeAway);
  const { databaseUrl } = await makeTemplate(servers.databaseUrl);
  const stores = { DATABASE_URL: databaseUrl, REDIS_URL: servers.redisUrl };

  const say = (what: string, values: readonly number[], unit: string) => {
    const { median, min, max } = spreadOf(values);
    console.log(`${what}: ${median.toFixed(1)} ${unit} (${min.toFixed(1)}–${max.toFixed(1)})`);
  };
  console.log(`${availableParallelism()} × ${cpus()[0]?.model}, Node ${process.version}`);
  for (const [how, cache] of [
    ['without a compile cache', undefined],
    ['with a compile cache', `${dir.path}/compiled`],
  ] as const) {
    const env = { ...stores, ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }) };
    // Fills the cache, and the plans of the servers.
    await (await startInstance(env)).stop();
    const ready: number[] = [];
    const resident: number[] = [];
    for (let number = 1; number <= STARTS; number++) {
      const instance = await startInstance(env);
      ready.push(instance.readyMs);
      await pause(RESTED_MS);
      resident.push(await residentMegabytes(instance.pid));
      await instance.stop();
    }
    say(`ready, ${how}`, ready, 'ms');
    say(`resident memory, ${how}`, resident, 'MB');
  }

  const instance = await startInstance(stores);
  ending.defer(instance.stop);
  await takeAway();
  await pause(OUTAGE_BEFORE_MS);
  const before = cpuSecondsOf(instance.pid);
  await pause(OUTAGE_MS);
  const share = (cpuSecondsOf(instance.pid) - before) / (OUTAGE_MS / 1_000);
  console.log(`without Redis and Postgres: ${(100 * share).toFixed(2)} % of a core`);
});
