import { cpus, totalmem } from 'node:os';
import { type Run, WITHOUT_SECONDS_MAX } from './explainer.ts';
import type { Comparison } from './measure.ts';
import type { Table } from './tables.ts';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const SHOWN_OF_A_QUERY = 110;

export function documentOf(comparisons: readonly Comparison[], tables: readonly Table[], postgres: string): string {
  const processors = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `# Queries

Written by \`npm run queries\` on ${new Date().toISOString().slice(0, 10)}. Do not edit: run it again.

- Machine: ${processors.length} cores (${processors[0]?.model}), ${gigabytes} GB of memory; Postgres ${postgres} on the same machine, with its
  settings as they come (128 MB of shared buffers), but for fsync, which is off.
- What is measured is what the service asks: each command goes through its adapter, and \`auto_explain\` tells of every
  statement that Postgres runs for it, those inside functions and triggers too. Referential checks are not
  compared: without its index there is no such key. A statement that several commands make stands with the first of them
  that comes to look into the index.
- Each command finds something, and every index of a plan is looked into by some command; else this one fails. The plan without
  an index is left out where it reads no more pages than the plan with it.
- Each command runs twice as it is, of which the second time counts, and once without each index that it uses, for
  ${WITHOUT_SECONDS_MAX} seconds at most; where it fails without, the table says of what. Then everything is rolled back. Pages are of 8 kB,
  in memory or not. Times include what explaining takes.
- No statement of theirs, referential checks included, reads a table of these as a whole, neither planned for its values nor
  for any (\`plan_cache_mode\`); the command fails if one does.
- The plans are in \`.data/queries/\`, a file per command, on the machine that measured.

| Table | Rows | MB | MB of indexes |
| --- | --- | --- | --- |
${tables.map(({ name, rows, megabytes, indexMegabytes }) => `| ${name} | ${whole.format(rows)} | ${whole.format(megabytes)} | ${whole.format(indexMegabytes)} |`).join('\n')}

## In short

| Command | Statement | Index | With it | Without it |
| --- | --- | --- | --- | --- |
${comparisons.map(rowOf).join('\n')}
`;
}

/** The plans of each command, by a file name of the command's words. */
export function planFilesOf(comparisons: readonly Comparison[]): Map<string, string> {
  const commands = [...new Set(comparisons.map(({ command }) => command))];
  return new Map(commands.map((command) => [fileNameOf(command), plansOf(command, comparisons)]));
}

function fileNameOf(command: string): string {
  return `${command.replace(/\W+/g, '-')}.md`;
}

function rowOf({ command, index, after, before }: Comparison): string {
  const without = typeof before === 'string' ? before : figuresOf(before);
  return `| ${command} | \`${shortened(after.query)}\` | ${index} | ${figuresOf(after)} | ${without} |`;
}

function figuresOf(run: Run): string {
  return `${millisecondsOf(run)}, ${whole.format(run.pages)} pages`;
}

function millisecondsOf({ milliseconds }: Run): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(2) : whole.format(milliseconds)} ms`;
}

function shortened(query: string): string {
  const one = query.replaceAll('|', '\\|').replaceAll('`', "'");
  return one.length > SHOWN_OF_A_QUERY ? `${one.slice(0, SHOWN_OF_A_QUERY)}…` : one;
}

function plansOf(command: string, comparisons: readonly Comparison[]): string {
  const own = comparisons.filter((comparison) => comparison.command === command);
  const queries = [...new Set(own.map(({ after }) => after.query))];
  const parts = queries.map((query) => {
    const [first, ...others] = own.filter(({ after }) => after.query === query);
    if (first === undefined) return '';
    const without = [first, ...others].map(withoutIndex);
    return `${fenced(query, 'sql')}\n\n${fenced(first.after.plan)}\n\n${without.filter(Boolean).join('\n\n')}\n`;
  });
  return `# ${command}: ${queries.length} statements\n\n${parts.join('\n')}`;
}

function withoutIndex({ index, after, before }: Comparison): string {
  if (typeof before === 'string') return '';
  if (before.pages <= after.pages)
    return `Without ${index}: ${whole.format(before.pages)} pages, ${millisecondsOf(before)}.`;
  return `Without ${index}:\n\n${fenced(before.plan)}`;
}

function fenced(text: string, language = ''): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}
