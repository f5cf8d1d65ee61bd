import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, lstat, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { processNow, readProcessRecord } from '#local/process-record.ts';
import { localSecrets } from '#local/secrets.ts';
import { startLocalServices } from '#local/services.ts';
import { temporaryDir } from '#tests/support/temporary-dir.ts';
import { until } from '#tests/support/until.ts';

const asRoot = process.getuid?.() === 0;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function dataDir(): Promise<string> {
  const { path, remove } = await temporaryDir();
  const dir = join(path, 'data');
  cleanups.push(async () => {
    // Servers whose process has only now been killed may still be writing.
    await until('the servers of a killed process have ended', () => gone(serverPids(dir)));
    await remove();
  });
  return dir;
}

async function start(dir: string, only: { postgres?: boolean; redis?: boolean; durable?: boolean } = {}) {
  const said: string[] = [];
  const wanted = { postgres: true, redis: true, durable: true, ...only };
  const services = await startLocalServices({ dataDir: dir, ...wanted, say: (line) => said.push(line) });
  cleanups.push(services.stop);
  return { ...services, said };
}

type Owner = { child: ChildProcess; databaseUrl: string; redisUrl: string; servers: number[] };

/** A process that owns the services of this directory, and leads a process group as a shell's foreground job does. */
function spawnOwner(dir: string) {
  const script = join(import.meta.dirname, '../support/local-services-process.ts');
  const child = spawn(process.execPath, [script, dir], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  cleanups.push(() => child.kill('SIGKILL'));
  return child;
}

async function startOwner(dir: string): Promise<Owner> {
  const child = spawnOwner(dir);
  const [line] = await once(child.stdout, 'data');
  return { child, ...JSON.parse(String(line)), servers: serverPids(dir) };
}

function serverPids(dir: string): number[] {
  const records = ['postgres', 'redis'].map((name) => readProcessRecord(join(dir, 'servers', `${name}-process.json`)));
  return records.map((record) => record?.pid ?? 0);
}

function gone(pids: number[]): boolean {
  return pids.every((pid) => processNow(pid) === undefined);
}

async function query(databaseUrl: string | undefined, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

async function redis<Answer>(redisUrl: string | undefined, ask: (client: Redis) => Promise<Answer>): Promise<Answer> {
  const client = new Redis(redisUrl ?? '', { retryStrategy: () => null });
  // The command that failed says so itself.
  client.on('error', () => {});
  try {
    return await ask(client);
  } finally {
    client.disconnect();
  }
}

describe('local services', () => {
  it('keep what they acknowledged from run to run', async () => {
    const dir = await dataDir();
    const first = await start(dir);
    await query(first.databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await redis(first.redisUrl, (client) => client.set('kept', '42'));
    await first.stop();

    const second = await start(dir);
    expect(await query(second.databaseUrl, 'SELECT answer FROM kept')).toEqual([42]);
    expect(await redis(second.redisUrl, (client) => client.get('kept'))).toBe('42');
  });

  it('write to disk and evict nothing when durable, and skip the disk in tests', async () => {
    const settings = async (durable: boolean) => {
      const { databaseUrl, redisUrl } = await start(await dataDir(), { durable });
      const info = await redis(redisUrl, (client) => client.info());
      const [, appendOnly] = /aof_enabled:(\d)/.exec(info) ?? [];
      const [, policy] = /maxmemory_policy:(\w+)/.exec(info) ?? [];
      return [...(await query(databaseUrl, 'SHOW fsync')), appendOnly, policy];
    };
    expect(await settings(true)).toEqual(['on', '1', 'noeviction']);
    expect(await settings(false)).toEqual(['off', '0', 'noeviction']);
  });

  it('answer on the loopback interface only, and only to who knows the password', async () => {
    const { databaseUrl, redisUrl } = await start(await dataDir());
    expect(await query(databaseUrl, 'SHOW listen_addresses')).toEqual(['127.0.0.1']);
    const withWrongPassword = new URL(databaseUrl ?? '');
    withWrongPassword.password = 'guess';
    await expect(query(withWrongPassword.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
    await expect(redis(redisUrl?.replace(/:[^:]*@/, ''), (client) => client.ping())).rejects.toThrow('NOAUTH');
  });

  it('are only those that were asked for', async () => {
    const { databaseUrl, redisUrl } = await start(await dataDir(), { postgres: false });
    expect(databaseUrl).toBeUndefined();
    expect(await redis(redisUrl, (client) => client.ping())).toBe('PONG');
  });

  it('leave no process after a stop, whatever their clients are doing', async () => {
    const dir = await dataDir();
    const { databaseUrl, redisUrl, stop } = await start(dir);
    const servers = serverPids(dir);
    const client = new pg.Client({ connectionString: databaseUrl });
    client.on('error', () => {});
    await client.connect();
    const asleep = client.query('SELECT pg_sleep(600)').catch((error: Error) => error.message);
    const blocked = redis(redisUrl, (other) => other.blpop('nothing', 600)).catch((error: Error) => error.message);

    const began = Date.now();
    await stop();
    expect(gone(servers)).toBe(true);
    expect(Date.now() - began).toBeLessThan(6_000);
    expect(await Promise.all([asleep, blocked])).toEqual([expect.any(String), expect.any(String)]);
  });

  it('end by themselves when their process is killed, and start again', async () => {
    const dir = await dataDir();
    const { child, databaseUrl, servers } = await startOwner(dir);
    await query(databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
    expect(gone(servers)).toBe(false);
    child.kill('SIGKILL');
    await until('both servers have ended', () => gone(servers));

    const next = await start(dir);
    expect(await query(next.databaseUrl, 'SELECT answer FROM kept')).toEqual([42]);
  });

  it('are cleaned up by the next start when everything that watched them was killed too', async () => {
    const dir = await dataDir();
    const { child, databaseUrl, servers } = await startOwner(dir);
    await query(databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
    for (const leash of servers.map(parentOf)) process.kill(leash, 'SIGKILL');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(servers.map((pid) => processNow(pid) === undefined)).toEqual([false, false]);

    const next = await start(dir);
    expect(gone(servers)).toBe(true);
    expect(await query(next.databaseUrl, 'SELECT answer FROM kept')).toEqual([42]);
  });

  it('are not mistaken for another process that has inherited a pid', async () => {
    const dir = await dataDir();
    await (await start(dir)).stop();
    const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    cleanups.push(() => bystander.kill('SIGKILL'));
    const stale = JSON.stringify({ pid: bystander.pid, started: 'before the flood' });
    await writeFile(join(dir, 'servers', 'postgres-process.json'), stale);
    await writeFile(join(dir, 'servers', 'redis-process.json'), stale);
    await writeFile(join(dir, 'servers', 'postgres', 'postmaster.pid'), `${bystander.pid}\n`);

    await start(dir);
    expect(gone([bystander.pid ?? 0])).toBe(false);
  });

  it('refuse a second start on the same data and name the process that has them', async () => {
    const dir = await dataDir();
    const { child, databaseUrl } = await startOwner(dir);
    await expect(start(dir)).rejects.toMatchObject({
      name: 'LocalProblem',
      message: expect.stringMatching(
        new RegExp(`already running on ${dir}: process ${child.pid}\\..*DATABASE_URL`, 's'),
      ),
    });
    expect(await query(databaseUrl, 'SELECT 1')).toEqual([1]);
  });

  it('go to exactly one of several simultaneous starts', async () => {
    const dir = await dataDir();
    const rivals = Array.from({ length: 4 }, () => spawnOwner(dir));
    const outcomes = await Promise.all(
      rivals.map((child) => Promise.race([once(child.stdout, 'data').then(() => 'serves'), text(child.stderr)])),
    );
    expect(outcomes.filter((outcome) => outcome === 'serves')).toHaveLength(1);
    for (const outcome of outcomes) expect(outcome).toMatch(/^serves$|already running/);
  });

  it('outlive a Ctrl-C until the application has closed', async () => {
    const { child, servers } = await startOwner(await dataDir());
    // What a terminal does on Ctrl-C: the signal goes to the whole foreground group.
    process.kill(-(child.pid ?? 0), 'SIGINT');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(gone(servers)).toBe(true);
  });

  it.runIf(asRoot)('find a place of their own where their user cannot reach the data directory', async () => {
    const dir = await dataDir();
    const above = join(dir, '..');
    await chmod(above, 0o700);
    const first = await start(dir);
    const outside = await readlink(join(dir, 'servers'));
    cleanups.push(() => rm(outside, { recursive: true, force: true }));
    expect(first.said.join()).toContain(outside);
    await query(first.databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();

    const second = await start(dir);
    expect(await query(second.databaseUrl, 'SELECT answer FROM kept')).toEqual([42]);
    await second.stop();

    await rm(dir, { recursive: true });
    const afresh = await start(dir);
    expect(await query(afresh.databaseUrl, "SELECT to_regclass('kept')")).toEqual([null]);
  });

  it('do not run as root', async () => {
    const dir = await dataDir();
    await start(dir);
    for (const entry of ['postgres', 'redis']) expect((await lstat(join(dir, 'servers', entry))).uid).not.toBe(0);
  });
});

describe('the service on servers of its own', () => {
  const root = join(import.meta.dirname, '../..');

  /** Started by npm as a person does it, in a process group of its own as in a terminal. */
  async function startService(dir: string, settings: Record<string, string> = {}) {
    const child = spawn('npm', ['start'], {
      cwd: root,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        DATA_DIR: dir,
        PORT: '0',
        LOG_LEVEL: 'error',
        ...settings,
      },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const group = -(child.pid ?? 0);
    cleanups.push(() => tell(group, 'SIGKILL'));
    const ended = once(child, 'close');
    const output = { said: '', complained: '' };
    child.stdout.on('data', (chunk) => (output.said += chunk));
    child.stderr.on('data', (chunk) => (output.complained += chunk));
    const up = until('it is up or has ended', () => output.said.includes('is up') || child.exitCode !== null, 60_000);
    return { child, group, ended, output, up };
  }

  it('ends with everything it started, and with code 0, on a Ctrl-C', async () => {
    const dir = await dataDir();
    const { group, ended, up } = await startService(dir);
    await up;
    const servers = serverPids(dir);
    const service = Number(await readFile(join(dir, 'running.pid'), 'utf8'));
    // The terminal sends it to the group, and npm passes its own on as well: the service gets two, or more of the impatient.
    process.kill(group, 'SIGINT');
    const again = setInterval(tell, 5, service, 'SIGINT');
    cleanups.push(() => clearInterval(again));
    expect((await ended)[0]).toBe(0);
    expect(gone(servers)).toBe(true);
  });

  it('ends with everything it started, and with code 0, when npm is told to end', async () => {
    const dir = await dataDir();
    const { child, ended, up } = await startService(dir);
    await up;
    const servers = serverPids(dir);
    child.kill('SIGTERM');
    expect((await ended)[0]).toBe(0);
    expect(gone(servers)).toBe(true);
  });

  it('complains about a wrong setting before it touches anything', async () => {
    const dir = await dataDir();
    const { ended, output } = await startService(dir, { PORT: 'abc', ACTIVE_MAX: '0' });
    expect((await ended)[0]).toBe(1);
    expect(output.complained).toMatch(/ {2}PORT: .*\n {2}ACTIVE_MAX: /);
    await expect(stat(dir)).rejects.toThrow('ENOENT');
  });
});

describe('local secrets', () => {
  it('are made once, for one data directory, and are their owner’s alone', async () => {
    const [one, other] = [await dataDir(), await dataDir()];
    const secrets = await localSecrets(one);
    expect(secrets.ACCESS_TOKEN_SECRET).toMatch(/^[\w-]{43}$/);
    expect(secrets.QUEUE_TOKEN_KEYS).toMatch(/^local:[\w-]{43}$/);
    const key = await readFile(join(one, 'admin-key'), 'utf8');
    expect(secrets.ADMIN_KEYS).toBe(`local:${createHash('sha256').update(key).digest('hex')}`);
    expect(await localSecrets(one)).toEqual(secrets);
    const others = await localSecrets(other);
    expect(new Set([...Object.values(secrets), ...Object.values(others)]).size).toBe(6);
    for (const file of await readdir(one)) expect((await stat(join(one, file))).mode & 0o777).toBe(0o600);
  });
});

function parentOf(pid: number): number {
  const command = `cut -d' ' -f4 /proc/${pid}/stat 2>/dev/null || ps -o ppid= -p ${pid}`;
  return Number(execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' }));
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
