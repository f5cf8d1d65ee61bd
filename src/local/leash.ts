/**
 * A process between ours and a server. If our process is killed, the kernel closes the pipe to this one's stdin, and the
 * server is ended. Closing the pipe also stops the server on purpose.
 *
 * It has a process group of its own. So Ctrl-C in the terminal reaches only the application, which closes its
 * connections before its servers end.
 */
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { processNow } from './process-record.ts';

export type LeashTask = {
  readonly command: string;
  readonly args: readonly string[];
  readonly runAs?: { readonly uid: number; readonly gid: number };
  /** Stops the server without waiting for its clients. */
  readonly stopSignal: 'SIGINT' | 'SIGTERM';
  /** Limits the stop; then the server is killed. */
  readonly graceMs: number;
  /** Records the server's process, so that the next start finds it if this process was killed too. */
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
