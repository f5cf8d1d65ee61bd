import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reaped } from '#tests/support/reaper.ts';
import { until } from '#tests/support/until.ts';
import type { Load, LoadResult } from './generator.ts';
import type { Visits, VisitsResult } from './money/buyers.ts';
import type { CrowdPlan, CrowdResult, FromCrowd, Progress, ToCrowd } from './rush/crowd.ts';

const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/** The kernel's clock ticks per second in /proc, the same on every Linux of today. */
const TICKS_PER_SECOND = 100;

export type ServerProcess = {
  readonly url: string;
  /** Processor time of all its threads so far. */
  cpuSeconds(): number;
  stop(): Promise<void>;
  /** Without a farewell. */
  kill(): Promise<void>;
};

/** The server as an operator runs it: every setting that is not named as it comes, its log written to a file. */
export async function startFrontrow(dir: string, settings: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const server = await startServer(dir, '../../src/main.ts', { HOST: '127.0.0.1', ...settings });
  await until('the server is ready', async () => (await fetch(`${server.url}/readyz`)).ok);
  return server;
}

/** Bare Fastify with these answers. */
export function startFloor(dir: string, answers: Readonly<Record<string, unknown>>): Promise<ServerProcess> {
  return startServer(dir, 'floor-server.ts', { FLOOR_ANSWERS: JSON.stringify(answers) });
}

/** Bare Fastify with these answers, and with balances in this database. */
export function startMoneyFloor(
  dir: string,
  databaseUrl: string,
  answers: Readonly<Record<string, unknown>>,
): Promise<ServerProcess> {
  const env = { FLOOR_ANSWERS: JSON.stringify(answers), FLOOR_DATABASE_URL: databaseUrl };
  return startServer(dir, 'money/floor-server.ts', env);
}

let started = 0;

async function startServer(dir: string, file: string, env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const logFile = join(dir, `server-${started++}.log`);
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, [fileOf(file)], {
    // Away from the repository, where a developer's `.env` may be.
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, NODE_ENV: 'production', PORT: '0', ...env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const { stop, kill } = endWithUs(child);

  const address = () => /(http:\/\/127\.0\.0\.1:\d+)/.exec(readFileSync(logFile, 'utf8'))?.[1];
  let url: string | undefined;
  await until('the server says where it is', () => {
    if (child.exitCode !== null) throw new Error(`the server did not start:\n${readFileSync(logFile, 'utf8')}`);
    url = address();
    return url !== undefined;
  });
  return { url: url ?? '', cpuSeconds: () => cpuSecondsOf(child.pid ?? 0), stop, kill };
}

/** Processor time of all its threads so far. */
export function cpuSecondsOf(pid: number): number {
  // The name in the second field may hold spaces; user and system time are the 14th and 15th field.
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11, 13);
  return (Number(user) + Number(system)) / TICKS_PER_SECOND;
}

/** A process that does one job at a time. */
export type Worker<Job, Result> = { ask(job: Job): Promise<Result>; stop(): Promise<void> };

function startWorker<Job extends object, Result>(file: string): Worker<Job, Result> {
  const child = fork(fileOf(file));
  const { ended, stop } = endWithUs(child);
  return {
    async ask(job) {
      child.send(job);
      const [result] = await Promise.race([once(child, 'message'), ended]);
      if (typeof result !== 'object' || result === null) throw new Error(`${file} ended early`);
      return result;
    },
    stop,
  };
}

export type Generator = Worker<Load, LoadResult>;

export const startGenerator = (): Generator => startWorker('generator.ts');
export const startBuyers = (): Worker<Visits, VisitsResult> => startWorker('money/buyers.ts');

export type Crowd = {
  /** Comes, and is there from now on. */
  begin(plan: CrowdPlan): Promise<void>;
  /** Goes on at these doors. */
  move(urls: readonly string[]): void;
  /** Tells what became of it before everybody is through. */
  halt(): void;
  readonly result: Promise<CrowdResult>;
  stop(): Promise<void>;
};

export function startCrowd(onProgress: (progress: Progress) => void): Crowd {
  // Tens of thousands of records and a million latencies: as JSON they would take longer than the rush.
  const child = fork(fileOf('rush/crowd.ts'), { serialization: 'advanced' });
  const { ended, stop } = endWithUs(child);
  const ready = Promise.withResolvers<void>();
  const result = Promise.withResolvers<CrowdResult>();
  child.on('message', (message: FromCrowd) => {
    if ('progress' in message) onProgress(message.progress);
    else if ('result' in message) result.resolve(message.result);
    else ready.resolve();
  });
  const endedEarly = ended.then(() => {
    throw new Error('the crowd ended early');
  });
  endedEarly.catch(result.reject);
  // Whether anybody waits for it yet or no longer.
  result.promise.catch(() => {});
  const tell = (message: ToCrowd) => child.send(message);
  return {
    begin(plan) {
      tell({ begin: plan });
      return Promise.race([ready.promise, endedEarly]);
    },
    move: (urls) => tell({ move: urls }),
    halt: () => tell({ halt: true }),
    result: result.promise,
    stop,
  };
}

/** Ends with us, however we end. */
function endWithUs(child: ChildProcess) {
  reaped(child);
  const ended = once(child, 'exit');
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  }
  return { ended, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}
