import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { reaped } from '#tests/support/reaper.ts';
import { temporaryDir } from '#tests/support/temporary-dir.ts';
import { until } from '#tests/support/until.ts';

// A run of vitest with servers of its own, ended in the middle. On Linux: it looks through /proc.

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');
const CONFIG = join(ROOT, 'tests/support/left-behind/vitest.config.ts');
const COMPILE_CACHE = 'node-compile-cache';

/** How a run may end: the last two by themselves. */
const ENDS = {
  SIGKILL: (pid: number) => process.kill(pid, 'SIGKILL'),
  'Ctrl-C': (pid: number) => process.kill(-pid, 'SIGINT'),
  'a test that fails': () => {},
  'a test that times out': () => {},
};

/** Called at the top of a test file. */
export function leavesNothing(...ends: readonly (keyof typeof ENDS)[]): void {
  test.runIf(process.platform === 'linux').each(ends)(
    'a test run ended by %s leaves no process or folder',
    async (end) => {
      const run = await startRun(end);
      // vitest and its worker, a reaper of each, two servers of the run and two of the test, the instance.
      expect(processesOf(run.folder).length).toBeGreaterThanOrEqual(9);
      expect(foldersOf(run.folder).length).toBeGreaterThanOrEqual(5);
      await rm(run.upFile);
      ENDS[end](run.pid);
      await run.ended;
      const left = () => processesOf(run.folder).map(({ command }) => command);
      await until('no process is left', () => left().length === 0).catch((error) => {
        throw new Error([error.message, ...left()].join('\n'));
      });
      expect(foldersOf(run.folder)).toEqual([]);
      await run.remove();
    },
  );
}

/** All that it starts has the folder's name about it: as its temporary folder, in its arguments, or as where it runs. */
async function startRun(end: keyof typeof ENDS) {
  const { path, remove } = await temporaryDir();
  const [folder, upFile] = [join(path, 'tmp'), join(path, 'up')];
  await mkdir(folder, { mode: 0o711 });
  await mkdir(join(tmpdir(), COMPILE_CACHE), { recursive: true });
  await symlink(join(tmpdir(), COMPILE_CACHE), join(folder, COMPILE_CACHE));
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    NO_COLOR: '1',
    TMPDIR: folder,
    UP_FILE: upFile,
    END: end,
  };
  // In a process group of its own, as a shell's foreground job is.
  const child = reaped(
    spawn(process.execPath, [VITEST, 'run', '--config', CONFIG], {
      cwd: ROOT,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = once(child, 'exit');
  await until('the run has started its servers', async () => {
    if (child.exitCode !== null) throw new Error(`the run ended too early:\n${output}`);
    return existsSync(upFile);
  });
  return { folder, upFile, ended, pid: child.pid ?? 0, remove };
}

function processesOf(folder: string): { pid: string; command: string }[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    const read = (look: () => string) => {
      try {
        return look();
      } catch {
        // It has ended meanwhile, or another user's processes are not shown.
        return '';
      }
    };
    const command = read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
    const environment = read(() => readFileSync(`/proc/${pid}/environ`, 'utf8'));
    const cwd = read(() => readlinkSync(`/proc/${pid}/cwd`));
    return [command, environment, cwd].some((text) => text.includes(folder)) ? [{ pid, command }] : [];
  });
}

function foldersOf(folder: string): string[] {
  return readdirSync(folder).filter((name) => name !== COMPILE_CACHE);
}
