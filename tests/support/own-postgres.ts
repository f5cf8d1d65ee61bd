import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll } from 'vitest';
import { migrate } from '#adapters/postgres/install/migrate.ts';
import { startPostgres } from '#local/postgres.ts';
import { postgresBinaries } from '#local/postgres-binaries.ts';
import { serverHome } from '#local/server-home.ts';
import { childrenOf } from './children-of.ts';
import { reaped } from './reaper.ts';
import { temporaryDir } from './temporary-dir.ts';
import { until } from './until.ts';

/** A Postgres that a test may take away, migrated: nobody else uses it. It comes back with what it acknowledged. */
export type OwnPostgres = {
  readonly url: string;
  /** Ends it at once, in the middle of whatever it does. */
  kill(): Promise<void>;
  /** Starts it again where it was, if it was killed. */
  restart(): Promise<void>;
  /** Stops it in its tracks, every process of it: connections stay and new ones are accepted, answers do not come. */
  freeze(): Promise<void>;
  thaw(): void;
};

/**
 * Called at the top of a test file, where hooks are registered. It waits until the system has what it writes, not until the disk
 * has: enough for a server that crashes, not for a machine that does.
 *
 * @param more settings of Postgres
 */
export async function ownPostgres(more: Readonly<Record<string, string>> = {}): Promise<OwnPostgres> {
  const dir = await temporaryDir();
  const home = await serverHome(dir.path, () => {});
  const binaries = await postgresBinaries(home.runAs, () => {});
  // Makes the cluster, and finds a port that is free.
  const first = await startPostgres({ home, durable: false, say: () => {} });
  const { url } = first;
  await migrate(url);
  await first.stop();

  const settings = {
    port: new URL(url).port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    ...more,
  };
  const args = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  let server: ChildProcess | undefined;
  let frozen: number[] = [];

  const start = async () => {
    const env = { PATH: process.env.PATH, LC_ALL: 'C' };
    const data = join(home.dir, 'postgres');
    server = reaped(spawn(binaries.postgres, ['-D', data, ...args], { ...home.runAs, cwd: '/', env, stdio: 'ignore' }));
    await until('Postgres answers', async () => (await pidsOf(url).catch(() => [])).length > 0);
  };
  const isRunning = () => server !== undefined && server.exitCode === null && server.signalCode === null;
  const thaw = () => {
    for (const pid of frozen) tell(pid, 'SIGCONT');
    frozen = [];
  };
  const kill = async () => {
    if (server === undefined || !isRunning()) return;
    const ended = once(server, 'exit');
    // An immediate shutdown: like SIGKILL, but it reaches all of its processes.
    server.kill('SIGQUIT');
    await ended;
  };
  afterAll(async () => {
    thaw();
    await kill();
    await dir.remove();
  });
  await start();
  return {
    url,
    kill,
    restart: async () => {
      if (!isRunning()) await start();
    },
    async freeze() {
      const postmaster = server?.pid ?? 0;
      // From now on there are no new ones. Each is a process group of its own, so a signal to the group would miss them.
      tell(postmaster, 'SIGSTOP');
      // Not from pg_stat_activity: a connection that is being made is missing there, and would go on to answer.
      frozen = [postmaster, ...(await childrenOf(postmaster))];
      for (const pid of frozen) tell(pid, 'SIGSTOP');
    },
    thaw,
  };
}

async function pidsOf(url: string): Promise<number[]> {
  const client = new Client(url);
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows.map(({ pid }) => pid);
  } finally {
    await client.end();
  }
}

/** One that has ended meanwhile needs no signal. */
function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
