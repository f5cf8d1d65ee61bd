import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { processNow } from '#local/process-record.ts';
import type { Remnant } from './reaper-process.ts';

const REAPER = fileURLToPath(new URL('reaper-process.ts', import.meta.url));

let reaper: ChildProcessByStdio<Writable, null, null> | undefined;

function reap(remnant: Remnant): void {
  if (reaper === undefined) {
    reaper = spawn(process.execPath, [REAPER], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] });
    reaper.unref();
    (reaper.stdin as Socket).unref();
  }
  reaper.stdin.write(`${JSON.stringify(remnant)}\n`);
}

/** Removes the folder once this process is gone, however it ended. */
export function reapFolder(folder: string): void {
  reap({ folder });
}

/** Kills the child process once this one is gone, however it ended: `reaped(spawn(…))` for each process that a test starts. */
export function reaped<Child extends ChildProcess>(child: Child): Child {
  const record = child.pid === undefined ? undefined : processNow(child.pid);
  if (record !== undefined) reap({ process: record });
  return child;
}
