/**
 * Ends what a test process has started, once that process is gone: by SIGKILL, a crash or Ctrl-C alike. The kernel then
 * closes the pipe that is this process's stdin. A process group of its own keeps Ctrl-C away from it.
 *
 * Each line on stdin is one `Remnant`.
 */
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { isRunning, type ProcessRecord } from '#local/process-record.ts';

export type Remnant = { readonly process: ProcessRecord } | { readonly folder: string };

const processes: ProcessRecord[] = [];
const folders: string[] = [];

createInterface(process.stdin)
  .on('line', (line) => {
    const remnant = JSON.parse(line) as Remnant;
    if ('process' in remnant) processes.push(remnant.process);
    else folders.push(remnant.folder);
  })
  .on('close', async () => {
    for (const record of processes) if (isRunning(record)) kill(record.pid);
    // Servers that are still shutting down may write into their folder while it is removed.
    for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
  });

/** With its process group, if it leads one (`detached`): npm does not end what it has started when it is killed. */
function kill(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // It leads no group, or has ended meanwhile.
    }
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
