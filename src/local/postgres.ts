import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onFreePort } from './free-port.ts';
import { startLeashed } from './leashed-server.ts';
import { LocalProblem } from './local-problem.ts';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.ts';
import { commandLine } from './process-record.ts';
import { keptSecret } from './secrets.ts';
import type { ServerHome, ServerUser } from './server-home.ts';

/** The superuser and its database. Tests create databases of their own. */
const NAME = 'frontrow';
/** Enough for several instances and test workers with a pool each. Idle connections are cheap here. */
const MAX_CONNECTIONS = 300;
/** For disposable data: a machine crash may lose it, a process crash does not. */
const FAST = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  // Its databases are dropped before a vacuum would pay.
  autovacuum: 'off',
};

type PostgresPlan = { readonly home: ServerHome; readonly durable: boolean; say(line: string): void };

export async function startPostgres({
  home,
  durable,
  say,
}: PostgresPlan): Promise<{ url: string; stop(): Promise<void> }> {
  const data = join(home.dir, 'postgres');
  const binaries = await postgresBinaries(home.runAs, say);
  const passwordPath = join(home.dir, 'postgres-password');
  // A password also on the loopback interface, as every user of this machine can reach it. A Postgres superuser can run
  // programs as the server's user.
  const password = await keptSecret(passwordPath);
  if (!(await isCluster(data))) await makeCluster({ data, binaries, passwordPath, durable, runAs: home.runAs });

  return onFreePort(async (port) => {
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      max_connections: String(MAX_CONNECTIONS),
      ...(durable ? {} : FAST),
    };
    const { stop } = await startLeashed({
      name: 'Postgres',
      command: binaries.postgres,
      args: ['-D', data, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
      ...(home.runAs === undefined ? {} : { runAs: home.runAs }),
      // "Fast shutdown": does not wait for clients and leaves nothing to recover.
      stopSignal: 'SIGINT',
      recordPath: join(home.dir, 'postgres-process.json'),
      logPath: join(home.dir, 'postgres.log'),
      beforeStart: () => clearPidFile(data),
      ready: () => isReady(data, port),
      say,
    });
    return { url: `postgresql://${NAME}:${password}@127.0.0.1:${port}/${NAME}`, stop };
  });
}

type ClusterPlan = {
  readonly data: string;
  readonly binaries: PostgresBinaries;
  readonly passwordPath: string;
  readonly durable: boolean;
  readonly runAs: ServerUser | undefined;
};

/** Created in a draft folder and moved when complete, so that an interrupted run leaves no partial database. */
async function makeCluster({ data, binaries, passwordPath, durable, runAs }: ClusterPlan): Promise<void> {
  const draft = `${data}.draft`;
  await rm(draft, { recursive: true, force: true });
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  const login = [`--username=${NAME}`, '--auth=scram-sha-256', `--pwfile=${passwordPath}`];
  const sync = durable ? [] : ['--no-sync'];
  await run(binaries.initdb, ['-D', draft, ...login, ...locale, ...sync, '--no-instructions'], '', runAs);
  // Single-user mode needs no port and no client library.
  await run(binaries.postgres, ['--single', '-D', draft, 'postgres'], `CREATE DATABASE ${NAME};\n`, runAs);
  await rename(draft, data);
}

async function run(command: string, args: string[], input: string, runAs: ServerUser | undefined): Promise<void> {
  const child = spawn(command, args, { ...runAs, cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C' } });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = (await once(child, 'close').catch((error: Error) => [error.message])) as [number | string];
  if (code === 0) return;
  throw new LocalProblem(
    [
      `Postgres could not be set up: ${command} failed (${code}).`,
      ...(await output).join('').trim().split('\n').slice(-8),
      'If a library or the program itself is missing, its install scripts did not run: npm rebuild.',
      'A system without glibc (Alpine) needs a Postgres of its own: docker compose up, or DATABASE_URL.',
    ].join('\n  '),
  );
}

async function isCluster(data: string): Promise<boolean> {
  return stat(join(data, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

/**
 * After a crash another process may have the pid of Postgres's lock file (pids restart in a container), and Postgres
 * would refuse to start. Our own server has ended before this call.
 */
async function clearPidFile(data: string): Promise<void> {
  const pidFile = await readPidFile(data);
  if (pidFile === undefined) return;
  if (commandLine(pidFile.pid)?.includes(data)) {
    throw new LocalProblem(
      `A Postgres that was not started by this program uses ${data}: process ${pidFile.pid}. End it and start again.`,
    );
  }
  await rm(join(data, 'postmaster.pid'), { force: true });
}

/** Like `pg_ctl start --wait`: the server writes its state into its lock file. */
async function isReady(data: string, port: number): Promise<boolean> {
  const pidFile = await readPidFile(data);
  return pidFile?.port === port && pidFile.status === 'ready';
}

async function readPidFile(data: string): Promise<{ pid: number; port: number; status: string } | undefined> {
  const content = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => undefined);
  // The lines of src/include/utils/pidfile.h: 1 is the pid, 4 the port, 8 the status.
  const lines = content?.split('\n');
  return lines && { pid: Number(lines[0]), port: Number(lines[3]), status: lines[7]?.trim() ?? '' };
}
