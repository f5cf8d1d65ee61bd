import { parseArgs } from 'node:util';
import { runCommand } from '#tests/load/command.ts';
import { CONDITIONS, type Condition, underCondition } from './stress/conditions.ts';
import { readmeTestCommand, runTests, type TestRun } from './stress/run-tests.ts';
import { tableOf } from './stress/table.ts';
import { temporaryDir } from './temporary-dir.ts';

// `npm run test:stress -- <times> [--conditions quiet,busy,confined] [--at-once 3]`: runs the README's test command so many
// times in each condition, and prints a table. Fails if a run did. With `--at-once`, runs that are confined or busy go side by
// side, which is harder for each of them: confined ones in control groups (cgroups) of their own, busy ones beside the same
// loops.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    conditions: { type: 'string', default: CONDITIONS.join(',') },
    'at-once': { type: 'string', default: '1' },
  },
});

function wholeNumber(name: string, text: string | undefined): number {
  const value = Number(text ?? '1');
  if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name} must be a whole number from 1`);
  return value;
}

function conditionsOf(text: string): Condition[] {
  return text.split(',').map((name) => {
    const condition = CONDITIONS.find((one) => one === name);
    if (condition === undefined) throw new RangeError(`${name} is none of ${CONDITIONS.join(', ')}`);
    return condition;
  });
}

await runCommand(async (ending) => {
  const times = wholeNumber('times', positionals[0]);
  const atOnce = wholeNumber('--at-once', values['at-once']);
  const command = await readmeTestCommand();
  const dir = await temporaryDir();
  ending.defer(dir.remove);

  const results = new Map<Condition, TestRun[]>();
  for (const condition of conditionsOf(values.conditions)) {
    const runs: TestRun[] = [];
    results.set(condition, runs);
    let started = 0;
    await underCondition(condition, atOnce, ending, async (places, how) => {
      console.log(`${condition}: ${how}`);
      const lanes = places.map(async (place) => {
        for (let number = ++started; number <= times && !ending.disposed; number = ++started) {
          console.log(`${condition}, run ${number} of ${times}: started at ${new Date().toISOString()}`);
          const run = await runTests({ command, place, ending, reportFile: `${dir.path}/${condition}-${number}.json` });
          // It was broken off with the command, and says nothing.
          if (ending.disposed) return;
          runs.push(run);
          const outcome =
            run.failures.length === 0 ? 'passed' : `FAILED\n  ${[...run.failures, ...run.reasons].join('\n  ')}`;
          console.log(`${condition}, run ${number} of ${times}: ${Math.round(run.seconds)} s, ${outcome}`);
        }
      });
      await Promise.all(lanes);
    });
  }
  console.log(`\n${tableOf(results)}`);
  if ([...results.values()].flat().some(({ failures }) => failures.length > 0)) throw new Error('a run failed');
});
