import type { Command, Explainer, Run } from './explainer.ts';

/** A statement of a hot command, with an index that it finds its rows by and without. */
export type Comparison = {
  readonly command: string;
  readonly index: string;
  readonly after: Run;
  /** Without the index; or what the command failed of. */
  readonly before: Run | string;
};

export type Measured = {
  readonly comparisons: readonly Comparison[];
  /** Statements of hot commands that read a large table as a whole. */
  readonly faults: readonly string[];
};

/**
 * Each command as it is, the second of two runs, since the first fills the memory; and without each of the indexes that it
 * uses. A statement that several commands make is compared with the first of them.
 */
export async function measure(
  explainer: Explainer,
  commands: Readonly<Record<string, Command>>,
  largeTables: readonly string[],
  say: (line: string) => void,
): Promise<Measured> {
  const comparisons: Comparison[] = [];
  const faults = new Set<string>();
  const isCompared = (query: string, index: string) =>
    comparisons.some((one) => one.after.query === query && one.index === index);

  async function compare(command: string, asked: Command, index: string, runs: readonly Run[]): Promise<void> {
    const without = await explainer.explain(asked, index).catch((error: Error) => error.message);
    for (const after of runs) {
      if (isCompared(after.query, index)) continue;
      const before = typeof without === 'string' ? without : without.find(({ query }) => query === after.query);
      if (before !== undefined) comparisons.push({ command, index, after, before });
    }
  }

  for (const [command, asked] of Object.entries(commands)) {
    await explainer.explain(asked);
    const runs = await explainer.explain(asked);
    // A connection that lives long comes to plans that are made for any values.
    const anyValues = await explainer.explain({ ...asked, plans: 'force_generic_plan' });
    for (const { query, tablesReadWhole } of [...runs, ...anyValues]) {
      const whole = tablesReadWhole.filter((table) => largeTables.includes(table));
      if (whole.length > 0) faults.add(`${command}: ${query} reads ${whole.join(', ')} as a whole`);
    }
    for (const index of new Set(runs.flatMap(({ indexes }) => indexes))) {
      const fresh = runs.filter(({ query, indexes }) => indexes.includes(index) && !isCompared(query, index));
      if (fresh.length > 0) await compare(command, asked, index, fresh);
    }
    say(`${command}: ${runs.length} statements.`);
  }
  return { comparisons, faults: [...faults] };
}
