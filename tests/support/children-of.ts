import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

type Process = { readonly pid: number; readonly parent: number };

/** The processes that this one has started. */
export async function childrenOf(parent: number): Promise<number[]> {
  const processes = existsSync('/proc/self/stat') ? fromProc() : await fromPs();
  return processes.filter((process) => process.parent === parent).map(({ pid }) => pid);
}

function fromProc(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // "pid (name) state parent …", and a name may contain anything.
        const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
        return [{ pid: Number(name), parent: Number(fields?.[1]) }];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
}

async function fromPs(): Promise<Process[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid = 0, parent = 0]) => ({ pid, parent }));
}
