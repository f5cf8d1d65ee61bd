import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localSecrets } from '#local/secrets.ts';
import { fetchTransport, newClient } from '#tests/support/client/client.ts';
import { gone, localStage, tell } from '#tests/support/local-stage.ts';

// The rest of what servers of our own promise, and a second run on the same data, is in `tests/heavy/local.test.ts`.

const stage = localStage();

describe('the service on servers of its own', () => {
  it('starts by npm start, serves, and ends with its servers on Ctrl-C, once or repeatedly', async () => {
    const dir = await stage.dataDir();
    const { up, group, ended } = stage.startService(dir);
    const { url, pid, servers } = await up();
    const fan = await newClient(fetchTransport(() => url));
    const [concert] = (await fan.call('GET', '/v1/concerts')).body.items as readonly { concertId: string }[];
    expect((await fan.join(concert?.concertId ?? '')).body.status).toMatch(/^(WAITING|ACTIVE)$/);

    // A terminal sends it to the group, and npm passes its own on as well: the service gets two, or more from the impatient.
    process.kill(group, 'SIGINT');
    const again = setInterval(tell, 5, pid, 'SIGINT');
    stage.cleanUp(() => clearInterval(again));
    expect((await ended)[0]).toBe(0);
    clearInterval(again);
    expect(gone(servers)).toBe(true);
  });

  it('reports a wrong setting before it starts anything', async () => {
    const dir = await stage.dataDir();
    const { ended, output } = stage.startService(dir, { PORT: 'abc', ACTIVE_MAX: '0' });
    expect((await ended)[0]).toBe(1);
    expect(output.complained).toMatch(/ {2}PORT: .*\n {2}ACTIVE_MAX: /);
    await expect(stat(dir)).rejects.toThrow('ENOENT');
  });
});

describe('local secrets', () => {
  it('are made once per data directory, and are readable by their owner only', async () => {
    const [one, other] = [await stage.dataDir(), await stage.dataDir()];
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
