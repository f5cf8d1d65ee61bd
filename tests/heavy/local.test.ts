import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { processNow } from '#local/process-record.ts';
import { fetchTransport, newClient } from '#tests/support/client/client.ts';
import { gone, localStage, parentOf, query, redis, serverPids, tell } from '#tests/support/local-stage.ts';
import { reaped } from '#tests/support/reaper.ts';
import { until } from '#tests/support/until.ts';

// What `npm start` does for a person, in `tests/integration/operating/local.test.ts`, does not need all of this.

const asRoot = process.getuid?.() === 0;
const stage = localStage();

describe('local services', () => {
  it('keep acknowledged data between runs', async () => {
    const dir = await stage.dataDir();
    const first = await stage.start(dir);
    await query(first.databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await redis(first.redisUrl, (client) => client.set('kept', '42'));
    await first.stop();

    const second = await stage.start(dir);
    expect(await query(second.databaseUrl, 'SELECT answer FROM kept')).toEqual([42]);
    expect(await redis(second.redisUrl, (client) => client.get('kept'))).toBe('42');
  });

  it('write to disk and evict nothing when durable, and skip the disk in tests', async () => {
    const settings = async (durable: boolean) => {
      const { databaseUrl, redisUrl } = await stage.start(await stage.dataDir(), { durable });
      const info = await redis(redisUrl, (client) => client.info());
      const [, appendOnly] = /aof_enabled:(\d)/.exec(info) ?? [];
      const [, policy] = /maxmemory_policy:(\w+)/.exec(info) ?? [];
      return [...(await query(databaseUrl, 'SHOW fsync')), appendOnly, policy];
    };
    expect(await settings(true)).toEqual(['on', '1', 'noeviction']);
    expect(await settings(false)).toEqual(['off', '0', 'noeviction']);
  });

  it('answer on the loopback interface only, and only with the password', async () => {
    const { databaseUrl, redisUrl } = await stage.start(await stage.dataDir());
    expect(await query(databaseUrl, 'SHOW listen_addresses')).toEqual(['127.0.0.1']);
    const withWrongPassword = new URL(databaseUrl ?? '');
    withWrongPassword.password = 'guess';
    await expect(query(withWrongPassword.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
    await expect(redis(redisUrl?.replace(/:[^:]*@/, ''), (client) => client.ping())).rejects.toThrow('NOAUTH');
  });

  it('are only the requested ones', async () => {
    const { databaseUrl, redisUrl } = await stage.start(await stage.dataDir(), { postgres: false });
    expect(databaseUrl).toBeUndefined();
    expect(await redis(redisUrl, (client) => client.ping())).toBe('PONG');
  });

  it('leave no process after a stop, whatever their clients are doing', async () => {
    const dir = await stage.dataDir();
    const { databaseUrl, redisUrl, stop } = await stage.start(dir);
    const servers = serverPids(dir);
    const client = new pg.Client({ connectionString: databaseUrl });
    client.on('error', () => {});
    await client.connect();
    const asleep = client.query('SELECT pg_sleep(600)').catch((error: Error) => error.message);
    const blocked = redis(redisUrl, (other) => other.blpop('nothing', 600)).catch((error: Error) => error.message);

    // It does not wait for the clients: they would keep it for ten minutes.
    await stop();
    expect(gone(servers)).toBe(true);
    expect(await Promise.all([asleep, blocked])).toEqual([expect.any(String), expect.any(String)]);
  });

  it('end by themselves when their process is killed, and start again', async () => {
    const dir = await stage.dataDir();
    const { child, databaseUrl, servers } = await stage.startOwner(dir);
    await query(databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
    expect(gone(servers)).toBe(false);
    child.kill('SIGKILL');
    await until('both servers have ended', () => gone(servers));

    const next = await stage.start(dir);
    expect(await query(next.databaseUrl, 'SELECT answer FROM kept')).toEqual([42]);
  });

  it('are cleaned up by the next start when everything that watched them was killed too', async () => {
    const dir = await stage.dataDir();
    const { child, databaseUrl, servers } = await stage.startOwner(dir);
    await query(databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
    for (const leash of servers.map(parentOf)) process.kill(leash, 'SIGKILL');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(servers.map((pid) => processNow(pid) === undefined)).toEqual([false, false]);

    const next = await stage.start(dir);
    expect(gone(servers)).toBe(true);
    expect(await query(next.databaseUrl, 'SELECT answer FROM kept')).toEqual([42]);
  });

  it('are not mistaken for another process that has inherited a pid', async () => {
    const dir = await stage.dataDir();
    await (await stage.start(dir)).stop();
    const bystander = reaped(spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' }));
    stage.cleanUp(() => bystander.kill('SIGKILL'));
    const stale = JSON.stringify({ pid: bystander.pid, started: 'before the flood' });
    await writeFile(join(dir, 'servers', 'postgres-process.json'), stale);
    await writeFile(join(dir, 'servers', 'redis-process.json'), stale);
    await writeFile(join(dir, 'servers', 'postgres', 'postmaster.pid'), `${bystander.pid}\n`);

    await stage.start(dir);
    expect(gone([bystander.pid ?? 0])).toBe(false);
  });

  it('refuse a second start on the same data and name the process that has them', async () => {
    const dir = await stage.dataDir();
    const { child, databaseUrl } = await stage.startOwner(dir);
    await expect(stage.start(dir)).rejects.toMatchObject({
      name: 'LocalProblem',
      message: expect.stringMatching(
        new RegExp(`already running on ${dir}: process ${child.pid}\\..*DATABASE_URL`, 's'),
      ),
    });
    expect(await query(databaseUrl, 'SELECT 1')).toEqual([1]);
  });

  it('go to exactly one of several simultaneous starts', async () => {
    const dir = await stage.dataDir();
    const rivals = Array.from({ length: 4 }, () => stage.spawnOwner(dir));
    const outcomes = await Promise.all(
      rivals.map((child) => Promise.race([once(child.stdout, 'data').then(() => 'serves'), text(child.stderr)])),
    );
    expect(outcomes.filter((outcome) => outcome === 'serves')).toHaveLength(1);
    for (const outcome of outcomes) expect(outcome).toMatch(/^serves$|already running/);
  });

  it('outlive a Ctrl-C until the application has closed', async () => {
    const { child, servers } = await stage.startOwner(await stage.dataDir());
    // What a terminal does on Ctrl-C: the signal goes to the whole foreground group.
    process.kill(-(child.pid ?? 0), 'SIGINT');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(gone(servers)).toBe(true);
  });

  it.runIf(asRoot)('use another directory if their user cannot reach the data directory', async () => {
    const dir = await stage.dataDir();
    const above = join(dir, '..');
    await chmod(above, 0o700);
    const first = await stage.start(dir);
    const outside = await readlink(join(dir, 'servers'));
    stage.cleanUp(() => rm(outside, { recursive: true, force: true }));
    expect(first.said.join()).toContain(outside);
    await query(first.databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();

    const second = await stage.start(dir);
    expect(await query(second.databaseUrl, 'SELECT answer FROM kept')).toEqual([42]);
    await second.stop();

    await rm(dir, { recursive: true });
    const afresh = await stage.start(dir);
    expect(await query(afresh.databaseUrl, "SELECT to_regclass('kept')")).toEqual([null]);
  });

  it('do not run as root', async () => {
    const dir = await stage.dataDir();
    await stage.start(dir);
    for (const entry of ['postgres', 'redis']) expect((await lstat(join(dir, 'servers', entry))).uid).not.toBe(0);
  });
});

describe('the service on servers of its own', () => {
  it('keeps acknowledged data between runs, and leaves no server behind after npm ends, also by SIGKILL', async () => {
    const dir = await stage.dataDir();
    let url = '';
    const run = async () => {
      const service = stage.startService(dir);
      const running = await service.up();
      url = running.url;
      return { ...service, ...running };
    };

    const first = await run();
    const fan = await newClient(fetchTransport(() => url));
    const [concert] = (await fan.call('GET', '/v1/concerts')).body.items as readonly { concertId: string }[];
    const { sequence } = (await fan.join(concert?.concertId ?? '')).body;
    expect((await fan.charge(1_000)).status).toBe(201);
    first.child.kill('SIGTERM');
    expect((await first.ended)[0]).toBe(0);
    expect(gone(first.servers)).toBe(true);

    const second = await run();
    expect(await fan.balance()).toBe(1_000);
    expect((await fan.poll()).body).toMatchObject({ sequence, status: expect.stringMatching(/^(WAITING|ACTIVE)$/) });
    tell(second.pid, 'SIGKILL');
    await until('both servers have ended', () => gone(second.servers));
  });
});
