import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { reaped } from '../reaper.ts';
import { type FileOutcome, readTestReport } from '../test-report.ts';
import type { Place } from './conditions.ts';

export type TestRun = {
  readonly seconds: number;
  /** Failed tests by name, or what else there is to say. */
  readonly failures: readonly string[];
  /** The beginning of what each failed test said. */
  readonly reasons: readonly string[];
};

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const LAST_CHARACTERS = 2_000;
const REASON_LINES_MAX = 30;

/** What the README's block with `npm test` has after `npm ci`, which would replace what this process runs on. */
export async function readmeTestCommand(): Promise<string> {
  const readme = await readFile(new URL('../../../README.md', import.meta.url), 'utf8');
  const [, line] = /^```sh\n(?:.*\n)*?(.*npm test.*)\n/m.exec(readme) ?? [];
  const command = line?.split('&&').at(-1)?.trim();
  if (command === undefined) throw new Error('README.md has no code block with "npm test"');
  return command;
}

type Plan = {
  readonly command: string;
  readonly place: Place;
  readonly reportFile: string;
  readonly ending: AsyncDisposableStack;
};

/** Runs the tests once, in a process group of its own, and sees that nothing of it is left. */
export async function runTests({ command, place, reportFile, ending }: Plan): Promise<TestRun> {
  const startMs = performance.now();
  const [program = '', ...args] = [
    ...place.prefix,
    ...command.split(' '),
    ...['--', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`],
  ];
  const env = { ...process.env, CI: 'true', NO_COLOR: '1' };
  const child = reaped(spawn(program, args, { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] }));
  const ended = once(child, 'close');
  let lastWords = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-LAST_CHARACTERS);
    });
  }
  ending.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-(child.pid ?? 0), 'SIGINT');
    await ended;
  });

  const [code, signal] = await ended;
  const seconds = (performance.now() - startMs) / 1_000;
  const files = (code === 0 ? undefined : await readTestReport(reportFile)) ?? [];
  const failures = failuresIn(files);
  if (code !== 0 && failures.length === 0) failures.push(`ended with ${signal ?? code}: ${lastWords}`);
  return { seconds, failures: [...failures, ...(await place.emptied())], reasons: reasonsIn(files) };
}

function reasonsIn(files: readonly FileOutcome[]): string[] {
  return files
    .flatMap(({ assertionResults }) => assertionResults.flatMap(({ failureMessages }) => failureMessages))
    .map((message) => message.split('\n').slice(0, REASON_LINES_MAX).join('\n'));
}

function failuresIn(files: readonly FileOutcome[]): string[] {
  return files.flatMap(({ name, status, message, assertionResults }) => {
    const file = name.replace(ROOT, '');
    const tests = assertionResults.filter((test) => test.status === 'failed').map(({ fullName }) => fullName);
    if (tests.length > 0) return tests.map((test) => `${file}: ${test}`);
    return status === 'failed' ? [`${file}: ${message}`] : [];
  });
}
