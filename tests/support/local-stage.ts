import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterEach } from 'vitest';
import { processNow, readProcessRecord } from '#local/process-record.ts';
import { startLocalServices } from '#local/services.ts';
import { reaped } from './reaper.ts';
import { temporaryDir } from './temporary-dir.ts';
import { until } from './until.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Timeouts that no slow machine meets by itself. */
const PATIENT = {
  REDIS_COMMAND_TIMEOUT_MS: '10000',
  DATABASE_CONNECT_TIMEOUT_MS: '60000',
  DATABASE_LOCK_TIMEOUT_MS: '30000',
  DATABASE_STATEMENT_TIMEOUT_MS: '60000',
  SHUTDOWN_SECONDS: '120',
};

/** Servers of our own as a person has them, and what a test does to those who own them. */
export type LocalStage = {
  /** Runs after the test, in reverse order. */
  cleanUp(cleanup: () => unknown): void;
  dataDir(): Promise<string>;
  /** Owned by this process. */
  start(
    dir: string,
    only?: { postgres?: boolean; redis?: boolean; durable?: boolean },
  ): Promise<Awaited<ReturnType<typeof startLocalServices>> & { readonly said: readonly string[] }>;
  /** Owned by a process that leads a process group, as a shell's foreground job does. */
  spawnOwner(
    dir: string,
  ): ChildProcess & { stdout: NonNullable<ChildProcess['stdout']>; stderr: NonNullable<ChildProcess['stderr']> };
  startOwner(dir: string): Promise<Owner>;
  /** Started by npm as a person does it, in a process group of its own as in a terminal. */
  startService(dir: string, settings?: Readonly<Record<string, string>>): Service;
};

type Owner = { child: ChildProcess; databaseUrl: string; redisUrl: string; servers: number[] };
type Service = {
  readonly child: ChildProcess;
  readonly group: number;
  readonly ended: Promise<[code: number | null]>;
  readonly output: { said: string; complained: string };
  /** Waits until it is up. */
  up(): Promise<{ readonly url: string; readonly pid: number; readonly servers: readonly number[] }>;
};

/** Called at the top of a test file, where hooks are registered. */
export function localStage(): LocalStage {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  function spawnOwner(dir: string) {
    const script = join(import.meta.dirname, 'local-services-process.ts');
    const child = reaped(spawn(process.execPath, [script, dir], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] }));
    cleanups.push(() => child.kill('SIGKILL'));
    return child;
  }

  return {
    cleanUp: (cleanup) => cleanups.push(cleanup),
    async dataDir() {
      const { path, remove } = await temporaryDir();
      const dir = join(path, 'data');
      cleanups.push(async () => {
        // Servers of a process that was killed just now may still be writing.
        await until('the servers of a killed process have ended', () => gone(serverPids(dir)));
        await remove();
      });
      return dir;
    },
    async start(dir, only = {}) {
      const said: string[] = [];
      const wanted = { postgres: true, redis: true, durable: true, ...only };
      const services = await startLocalServices({ dataDir: dir, ...wanted, say: (line) => said.push(line) });
      cleanups.push(services.stop);
      return { ...services, said };
    },
    spawnOwner,
    async startOwner(dir) {
      const child = spawnOwner(dir);
      const [line] = await once(child.stdout, 'data');
      return { child, ...JSON.parse(String(line)), servers: serverPids(dir) };
    },
    startService(dir, settings = {}) {
      const { PATH, HOME } = process.env;
      const env = { PATH, HOME, DATA_DIR: dir, PORT: '0', LOG_LEVEL: 'error', ...PATIENT, ...settings };
      const child = reaped(
        spawn('npm', ['start'], { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] }),
      );
      const group = -(child.pid ?? 0);
      cleanups.push(() => tell(group, 'SIGKILL'));
      const ended = once(child, 'close') as Service['ended'];
      const output = { said: '', complained: '' };
      child.stdout.on('data', (chunk) => (output.said += chunk));
      child.stderr.on('data', (chunk) => (output.complained += chunk));
      const up = async () => {
        await until('it is up or has ended', () => output.said.includes('is up') || child.exitCode !== null);
        const url = /API +(http:\S+)\/v1/.exec(output.said)?.[1];
        if (url === undefined) throw new Error(`npm start ended:\n${output.complained}`);
        return { url, pid: Number(await readFile(join(dir, 'running.pid'), 'utf8')), servers: serverPids(dir) };
      };
      return { child, group, ended, output, up };
    },
  };
}

export function serverPids(dir: string): number[] {
  const records = ['postgres', 'redis'].map((name) => readProcessRecord(join(dir, 'servers', `${name}-process.json`)));
  return records.map((record) => record?.pid ?? 0);
}

export function gone(pids: readonly number[]): boolean {
  return pids.every((pid) => processNow(pid) === undefined);
}

/** The values of the answer, row by row. */
export async function query(databaseUrl: string | undefined, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

export async function redis<Answer>(
  redisUrl: string | undefined,
  ask: (client: Redis) => Promise<Answer>,
): Promise<Answer> {
  const client = new Redis(redisUrl ?? '', { retryStrategy: () => null });
  // The command that failed says so itself.
  client.on('error', () => {});
  try {
    return await ask(client);
  } finally {
    client.disconnect();
  }
}

export function parentOf(pid: number): number {
  const command = `cut -d' ' -f4 /proc/${pid}/stat 2>/dev/null || ps -o ppid= -p ${pid}`;
  return Number(execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' }));
}

/** A process that has ended meanwhile needs no signal. */
export function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
