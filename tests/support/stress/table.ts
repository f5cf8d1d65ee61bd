import type { Condition } from './conditions.ts';
import type { TestRun } from './run-tests.ts';

/** In Markdown, a row per condition. */
export function tableOf(results: ReadonlyMap<Condition, readonly TestRun[]>): string {
  const rows = [...results].map(([condition, runs]) => {
    const passed = runs.filter(({ failures }) => failures.length === 0).length;
    const seconds = runs.map((run) => run.seconds).toSorted((a, b) => a - b);
    const times = [seconds[0], seconds[Math.floor(seconds.length / 2)], seconds.at(-1)];
    const figures = times.map((time) => Math.round(time ?? Number.NaN)).join(' / ');
    return `| ${condition} | ${runs.length} | ${passed} | ${failed(runs)} | ${figures} |`;
  });
  return [
    '| Condition | Runs | Passed | Failed tests | Seconds: least / median / most |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** Each by its name, and in how many runs. */
function failed(runs: readonly TestRun[]): string {
  const counts = new Map<string, number>();
  for (const name of runs.flatMap(({ failures }) => failures)) counts.set(name, (counts.get(name) ?? 0) + 1);
  const named = [...counts].map(([name, count]) => `${name.replaceAll('|', '\\|').replaceAll('\n', ' ')} (${count})`);
  return named.length === 0 ? 'none' : named.join('<br>');
}
