import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Copy } from '#tests/support/changed-copy.ts';
import { reaped } from '#tests/support/reaper.ts';
import { readTestReport, type TestOutcome } from '#tests/support/test-report.ts';
import type { Removal } from './removals.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const INTEGRATION = join(ROOT, 'tests/integration');
/** A wait that comes to nothing is how many of them fail: half a minute is many times what it takes with the guard. */
const HANG_MS = 30_000;

type Servers = { readonly databaseUrl: string; readonly redisUrl: string };

/** Runs these tests in the copy. Answers which tests failed and which passed, by their full names. */
export async function testsIn(
  { dir }: Copy,
  { tests, named = '' }: Pick<Removal, 'tests' | 'named'>,
  { databaseUrl, redisUrl }: Servers,
) {
  const output = join(dir, 'report.json');
  const all = await readdir(INTEGRATION, { recursive: true });
  const files = tests.map((name) => `tests/integration/${all.find((path) => path.endsWith(`/${name}.test.ts`))}`);
  const args = ['--project', 'integration', '--reporter=json', `--outputFile=${output}`, '-t', named, ...files];
  const { PATH } = process.env;
  const env = {
    PATH,
    NO_COLOR: '1',
    TEST_HANG_MS: String(HANG_MS),
    TEST_DATABASE_URL: databaseUrl,
    TEST_REDIS_URL: redisUrl,
  };
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const said = await new Promise<string>((resolve) => {
    // That it fails is what it is run for.
    reaped(
      execFile(process.execPath, [vitest, 'run', ...args], { cwd: dir, env, maxBuffer: 2 ** 26 }, (_, out, error) =>
        resolve(out + error),
      ),
    );
  });
  const report = await readTestReport(output);
  if (report === undefined) throw new Error(`no test was run:\n${said}`);
  const absent = files.filter((file) => !report.some(({ name }) => name.endsWith(file)));
  if (absent.length > 0) throw new Error(`${absent.join(', ')}: not there`);
  const results = report.flatMap(({ assertionResults }) => assertionResults);
  // A file that does not load catches nothing.
  const unloaded = report.filter(({ assertionResults }) => assertionResults.length === 0);
  if (unloaded.length > 0) throw new Error(unloaded.map(({ name, message }) => `${name}: ${message}`).join('\n'));
  // What did not end in time, beside another copy, says nothing of what is missing here.
  const caught = ({ status, failureMessages }: TestOutcome) =>
    status === 'failed' && !failureMessages.every((message) => message.includes('Test timed out'));
  const namesOf = (those: (test: TestOutcome) => boolean) => results.filter(those).map(({ fullName }) => fullName);
  return { failed: namesOf(caught), passed: namesOf(({ status }) => status === 'passed') };
}
