import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { makeTemplate } from '#tests/support/database.ts';
import { startTestServers } from '#tests/support/servers.ts';
import { runCommand } from './command.ts';
import { rush } from './rush/rush.ts';
import { documentOf, standingsLine } from './rush/rush-report.ts';
import type { RushPlan } from './rush/stage-rush.ts';

// `npm run load:line`: a rush on this machine, live; then which guarantees held. On Linux. As it comes it is written to
// docs/reference/load.md; with options of one's own (`npm run load:line -- --fans 2000`) it is only printed.

const DOCUMENT = new URL('../../docs/reference/load.md', import.meta.url);

/** Of the estimates of the wait, as a part of it. */
const MEDIAN_ERROR_MAX = 0.25;
/** Default, least, most. */
const OPTIONS = {
  fans: [50_000, 100, 100_000],
  seconds: [10, 1, 60],
  instances: [3, 2, 8],
  'active-max': [700, 1, 10_000],
  'absent-seconds': [30, 5, 120],
  'seconds-max': [360, 30, 1_800],
} as const;

function planOf(args: readonly string[]): RushPlan {
  const { values } = parseArgs({
    args: [...args],
    options: Object.fromEntries(Object.keys(OPTIONS).map((name) => [name, { type: 'string' as const }])),
  });
  const read = (name: keyof typeof OPTIONS) => {
    const [byDefault, least, most] = OPTIONS[name];
    const value = Number(values[name] ?? byDefault);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new RangeError(`--${name} must be a whole number from ${least} to ${most}`);
    }
    return value;
  };
  return {
    fans: read('fans'),
    arrivalSeconds: read('seconds'),
    instances: read('instances'),
    activeMax: read('active-max'),
    absentSeconds: read('absent-seconds'),
    secondsMax: read('seconds-max'),
  };
}

await runCommand(async (ending) => {
  const started = performance.now();
  const say = (line: string) => console.log(`${Math.round((performance.now() - started) / 1_000)} s  ${line}`);
  const args = process.argv.slice(2);
  const plan = planOf(args);
  const servers = await startTestServers(say);
  ending.defer(servers.stop);
  const database = await makeTemplate(servers.databaseUrl);
  ending.defer(database.drop);
  const grounds = {
    databaseUrl: database.databaseUrl,
    redisUrl: servers.redisUrl,
    say,
    onProgress: (now: Parameters<typeof standingsLine>[0]) => say(standingsLine(now)),
  };
  const result = await rush(plan, grounds, ending);
  const document = documentOf(plan, result);
  console.log(`\n${document}`);
  if (args.length === 0) await writeFile(DOCUMENT, document);
  if (!(result.calibration.medianError <= MEDIAN_ERROR_MAX)) throw new Error('estimates of the wait were wrong');
  if (result.checks.some(({ offences }) => offences > 0)) throw new Error('a guarantee did not hold');
});
