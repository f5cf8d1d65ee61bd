import { access, constants, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { handOver } from './hand-over.ts';
import { LocalProblem } from './local-problem.ts';

const SQLITE_BUSY = 5;

/** Keeps a reference, as a lock is released when it is garbage collected. */
const held = new Set<DatabaseSync>();

/**
 * Makes this process the only user of the data directory. The kernel releases the lock when the process ends, so a stale
 * lock cannot exist. SQLite is Node's way to such a lock; the file stores nothing.
 */
export async function takeDataDir(dataDir: string): Promise<{ release(): Promise<void> }> {
  // Others may pass through, as root runs the servers as another user. Each secret file has its own permissions.
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  await access(dataDir, constants.R_OK | constants.W_OK);
  const holderPath = join(dataDir, 'running.pid');
  const lockPath = join(dataDir, 'running.lock');

  const lock = new DatabaseSync(lockPath);
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw inUse(dataDir, await readFile(holderPath, 'utf8').catch(() => undefined));
  }
  held.add(lock);
  await handOver(lockPath);
  // Only for the message.
  await rm(holderPath, { force: true });
  await writeFile(holderPath, String(process.pid));

  return {
    async release() {
      await rm(holderPath, { force: true });
      held.delete(lock);
      lock.close();
    },
  };
}

function inUse(dataDir: string, pid: string | undefined): LocalProblem {
  return new LocalProblem(
    [
      `Frontrow is already running on ${dataDir}: process ${pid ?? 'unknown, it has just started'}. Either`,
      `  - end it (Ctrl-C where it runs, or: kill ${pid ?? '<pid>'}) and start again, or`,
      '  - run further instances beside it on a Postgres and a Redis of your own: set DATABASE_URL, REDIS_URL and PORT.',
    ].join('\n'),
  );
}
