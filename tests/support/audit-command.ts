import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { COMPILE_CACHE } from './instance.ts';
import { reaped } from './reaper.ts';

/** An audit as an operator runs it: what it says, and its exit code. */
export async function auditCommand(
  name: 'audit' | 'audit-queue' | 'audit-lottery',
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<{ readonly said: string; readonly exitCode: number }> {
  const script = fileURLToPath(new URL(`../../src/commands/${name}.ts`, import.meta.url));
  const child = reaped(
    spawn(process.execPath, [script, ...args], {
      // Away from the repository, where a developer's `.env` may be.
      cwd: tmpdir(),
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: COMPILE_CACHE, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  const [said, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { said, exitCode: exitCode as number };
}
