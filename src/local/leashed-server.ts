import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { LeashTask } from './leash.ts';
import { LocalProblem } from './local-problem.ts';
import { isRunning, type ProcessRecord, readProcessRecord } from './process-record.ts';

/** Limits the stop of a server to half of the 10 s of a shutdown. Both servers need well under one second. */
const STOP_GRACE_MS = 4_000;
/** Limits the start of a server: long enough for Postgres to recover from a crash on a slow disk. */
const START_LIMIT_MS = 60_000;
const POLL_MS = 15;

type ServerPlan = Omit<LeashTask, 'graceMs'> & {
  readonly name: string;
  readonly logPath: string;
  /** Called once no process of an earlier run is left. */
  beforeStart?(): Promise<void>;
  ready(): Promise<boolean>;
  say(line: string): void;
};

/** Starts a server that ends with this process, and waits until it is ready. */
export async function startLeashed(plan: ServerPlan): Promise<{ stop(): Promise<void> }> {
  const { name, logPath, beforeStart, ready, say, ...command } = plan;
  const task: LeashTask = { ...command, graceMs: STOP_GRACE_MS };
  await endOrphan(task);
  await beforeStart?.();

  // Removed first: after a run as another user, the old file could be replaced but not written.
  await rm(logPath, { force: true });
  const log = await open(logPath, 'wx', 0o600);
  const leash = spawn(process.execPath, [join(import.meta.dirname, 'leash.ts'), JSON.stringify(task)], {
    detached: true,
    stdio: ['pipe', log.fd, log.fd],
    // Only what the server needs: a developer's PGPORT or NODE_OPTIONS must not reach it.
    env: { PATH: process.env.PATH, HOME: '/', LC_ALL: 'C' },
  });
  await log.close();
  const pipe = leash.stdin as Socket;
  const exited = once(leash, 'exit');
  let state: 'starting' | 'serving' | 'stopping' | 'ended' = 'starting';
  exited.then(() => {
    if (state === 'serving') say(`${name} ended by itself; ${logPath} says why.`);
    state = 'ended';
  });
  const ended = () => state === 'ended';

  async function stop(): Promise<void> {
    if (ended()) return;
    state = 'stopping';
    leash.ref();
    pipe.destroy();
    await Promise.race([exited, pause(STOP_GRACE_MS + 1_000, undefined, { ref: false })]);
    if (ended()) return;
    const server = readProcessRecord(task.recordPath);
    if (server !== undefined) signal(server, 'SIGKILL');
    leash.kill('SIGKILL');
    await exited;
  }

  const limit = Date.now() + START_LIMIT_MS;
  while (!(await ready())) {
    if (!ended() && Date.now() < limit) {
      await pause(POLL_MS);
      continue;
    }
    await stop();
    const lastLines = (await readFile(logPath, 'utf8')).trimEnd().split('\n').slice(-12);
    throw new LocalProblem([`${name} did not start. The end of its log (${logPath}):`, ...lastLines].join('\n  '));
  }
  state = 'serving';
  // Lets this process end when it has nothing else to do; its servers end with it.
  leash.unref();
  pipe.unref();
  return { stop };
}

/**
 * Ends a server that an earlier run left. Usually its leash is already ending it. Only the recorded process is
 * signalled, never another one with the same pid.
 */
async function endOrphan({ recordPath, stopSignal }: LeashTask): Promise<void> {
  const orphan = readProcessRecord(recordPath);
  if (orphan === undefined) return;
  signal(orphan, stopSignal);
  const limit = Date.now() + STOP_GRACE_MS;
  while (isRunning(orphan)) {
    if (Date.now() > limit) signal(orphan, 'SIGKILL');
    await pause(POLL_MS);
  }
  await rm(recordPath, { force: true });
}

function signal(server: ProcessRecord, name: NodeJS.Signals): void {
  try {
    if (isRunning(server)) process.kill(server.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
