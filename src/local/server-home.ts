import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chown, lstat, mkdir, realpath, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalProblem } from './local-problem.ts';

/** The servers' data folder, and their user if we are root; otherwise they run as our user. */
export type ServerHome = { readonly dir: string; readonly runAs?: ServerUser };
export type ServerUser = { readonly uid: number; readonly gid: number };

/** For folders that the servers' user cannot reach. Not the temporary folder, which a reboot clears. */
export const OUTSIDE = '/var/lib/frontrow';

/**
 * Chooses the data folder of the servers. Postgres refuses to run as root, and another user may be unable to reach the
 * folders above (often `/root`). Then the data is outside, and `servers` in the data directory links to it. Deleting the
 * data directory still means a fresh start.
 */
export async function serverHome(dataDir: string, say: (line: string) => void): Promise<ServerHome> {
  const dir = join(dataDir, 'servers');
  if (process.getuid?.() !== 0) {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    return { dir: await realpath(dir) };
  }

  const outside = join(
    OUTSIDE,
    createHash('sha256')
      .update(await realpath(dataDir))
      .digest('hex')
      .slice(0, 16),
  );
  const runAs = await serverUser(dir);
  if (canReach(runAs, dataDir)) {
    await makeFor(runAs, dir);
  } else if (!(await linksTo(dir, outside))) {
    // A link to another place came with a copied tree. Data without a link belongs to a deleted tree.
    await rm(dir, { force: true });
    await rm(outside, { recursive: true, force: true });
    await mkdir(OUTSIDE, { recursive: true });
    await makeFor(runAs, outside);
    await symlink(outside, dir);
    say(`Postgres cannot run as root, and its user cannot reach ${dataDir}: its data is kept in ${outside}.`);
  }
  return { dir: await realpath(dir), runAs };
}

/** Whether the servers' user can reach this folder or run this program. Asks the kernel, which knows all rules. */
export function canReach({ uid, gid }: ServerUser, path: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { uid, gid, cwd: '/' }).status === 0;
}

/** The owner of existing data, or `nobody`, which every Unix has, so that no user need be added. */
async function serverUser(dir: string): Promise<ServerUser> {
  const owner = await stat(dir).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function makeFor({ uid, gid }: ServerUser, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chown(dir, uid, gid);
}

async function linksTo(dir: string, target: string): Promise<boolean> {
  const entry = await lstat(dir).catch(() => undefined);
  if (entry?.isDirectory()) {
    throw new LocalProblem(
      `The user of Postgres cannot reach its data in ${dir} any more. Move it back to where it was made, or delete it.`,
    );
  }
  return entry !== undefined && (await realpath(dir).catch(() => undefined)) === target;
}
