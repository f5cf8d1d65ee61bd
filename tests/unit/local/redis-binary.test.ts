import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { redisBinary } from '#local/redis-binary.ts';

/** The only folder on the PATH: what a test puts into it is what the machine has. */
let machine: string;
let said: string[];
const say = (line: string) => said.push(line);

beforeEach(async () => {
  machine = await mkdtemp(join(tmpdir(), 'frontrow-path-'));
  said = [];
  vi.stubEnv('PATH', machine);
  await symlink('/usr/bin/env', join(machine, 'env'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(machine, { recursive: true });
});

async function program(name: string, script: string): Promise<string> {
  const path = join(machine, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

const printing = (version: string) => `echo '${version} sha=00000000:0 malloc=libc bits=64 build=0'`;

/** A package manager that writes down what it is asked, and brings a server when asked to `install`, unless told not to. */
async function packageManager(name: string, installs = 'true'): Promise<() => Promise<string[]>> {
  const log = join(machine, `${name}.log`);
  const server = join(machine, 'redis-server');
  await program(
    name,
    `echo "$*" >> ${log}
     case "$*" in
       *install*|*add*) ${installs} || { echo 'E: Unable to locate package' >&2; exit 100; }
         echo '#!/bin/sh' > ${server}; echo "${printing('Redis server v=7.0.15')}" >> ${server}; /bin/chmod 755 ${server} ;;
     esac`,
  );
  return async () => (await readFile(log, 'utf8')).trim().split('\n');
}

/** Grants everything without a question, as it does where it is configured so. */
const sudoWithoutPassword = () => program('sudo', 'shift; "$@"');

describe('finding a Redis server', () => {
  it('takes redis-server 7.0 or later', async () => {
    const path = await program('redis-server', printing('Redis server v=7.0.0'));
    expect(await redisBinary(say)).toBe(path);
  });

  it('takes any valkey-server', async () => {
    const path = await program('valkey-server', printing('Valkey server v=8.1.1'));
    expect(await redisBinary(say)).toBe(path);
  });

  it('skips a Redis that is too old if there is another server', async () => {
    await program('redis-server', printing('Redis server v=6.2.14'));
    const path = await program('valkey-server', printing('Valkey server v=7.2.5'));
    expect(await redisBinary(say)).toBe(path);
  });

  it('refuses a Redis that is too old, with its version and what to do', async () => {
    const path = await program('redis-server', printing('Redis server v=6.2.14'));
    await expect(redisBinary(say)).rejects.toThrow(`${path} has version 6.2.14`);
    await expect(redisBinary(say)).rejects.toThrow(/install.*docker compose up.*REDIS_URL/s);
  });
});

describe('installing a Redis server', () => {
  it('announces it first, and installs nothing if there is one', async () => {
    await sudoWithoutPassword();
    await packageManager('apt-get', '[ -n "$DEBIAN_FRONTEND" ]');
    await redisBinary(say);
    expect(said).toEqual([expect.stringContaining('Installing one with apt-get')]);
    await redisBinary(say);
    expect(said).toHaveLength(1);
  });

  it('updates the package lists only if installing has failed', async () => {
    await sudoWithoutPassword();
    const asked = await packageManager('apt-get', `/bin/grep -q update ${join(machine, 'apt-get.log')}`);
    await redisBinary(say);
    expect((await asked()).map((line) => /update|install/.exec(line)?.[0])).toEqual(['install', 'update', 'install']);
  });

  it.each(['apk', 'dnf'])('knows %s', async (name) => {
    await sudoWithoutPassword();
    const asked = await packageManager(name);
    expect(await redisBinary(say)).toBe(join(machine, 'redis-server'));
    expect(await asked()).toHaveLength(1);
  });

  it('names the alternatives without a package manager', async () => {
    await expect(redisBinary(say)).rejects.toThrow(
      /no apt-get, apk, dnf or brew.*install.*docker compose up.*REDIS_URL/s,
    );
    expect(said).toEqual([]);
  });

  it('names the alternatives, and the output of the package manager, if installing fails', async () => {
    await sudoWithoutPassword();
    await packageManager('apt-get', 'false');
    await expect(redisBinary(say)).rejects.toThrow(/Unable to locate package.*docker compose up.*REDIS_URL/s);
  });

  it('asks for no password', async () => {
    vi.spyOn(process, 'getuid').mockReturnValue(1000);
    await program('sudo', 'exit 1');
    await packageManager('apt-get');
    await expect(redisBinary(say)).rejects.toThrow(/takes root or a sudo that asks for no password.*REDIS_URL/s);
    expect(said).toEqual([]);
    vi.restoreAllMocks();
  });
});
