/**
 * A process between ours and a server. Ours may be killed without a chance to clean up; the kernel then closes the pipe
 * that is this process's stdin, and the server is ended. Closing the pipe on purpose is also the way to stop it.
 *
 * It is a process group of its own: Ctrl-C in the terminal reaches the application alone, which closes its connections
 * before its servers go.
 */
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { processNow } from './process-record.ts';

export type LeashTask = {
  readonly command: string;
  readonly args: readonly string[];
  readonly runAs?: { readonly uid: number; readonly gid: number };
  /** Asks the server to end, its clients' wishes notwithstanding. */
  readonly stopSignal: 'SIGINT' | 'SIGTERM';
  /** How long the server may take over it before it is killed. */
  readonly graceMs: number;
  /** Where the server's process is written down, for the next start to find if even this process was killed. */
  readonly recordPath: string;
};

const task = JSON.parse(process.argv[2] ?? '') as LeashTask;
const server = spawn(task.command, task.args, { ...task.runAs, cwd: '/', stdio: ['ignore', 'inherit', 'inherit'] });

const running = server.pid === undefined ? undefined : processNow(server.pid);
if (running !== undefined) writeFileSync(task.recordPath, JSON.stringify(running));

server.once('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
server.once('exit', (code) => {
  rmSync(task.recordPath, { force: true });
  process.exit(code ?? 1);
});

function end(): void {
  server.kill(task.stopSignal);
  setTimeout(() => server.kill('SIGKILL'), task.graceMs);
}
process.stdin.once('close', end).on('error', () => {});
process.stdin.resume();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.stdin.destroy());
