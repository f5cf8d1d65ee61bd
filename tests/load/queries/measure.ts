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
  /** Statements of hot commands that read a large table as a whole; and what would be compared, and says nothing. */
  readonly faults: readonly string[];
};

/**
 * Each command as it is, the second of two runs, since the first fills the memory; and without each of the indexes that it
 * uses. A statement that several commands make is compared with the first of them that comes to look into the index.
 */
export async function measure(
  explainer: Explainer,
  commands: Readonly<Record<string, Command>>,
  largeTables: readonly string[],
  say: (line: string) => void,
): Promise<Measured> {
  const comparisons: Comparison[] = [];
  const faults = new Set<string>();
  /** Of each statement and index that was not looked into the command that did not; and what was. */
  const notReached = new Map<string, string>();
  const reached = new Set<string>();
  const isCompared = (query: string, index: string) =>
    comparisons.some((one) => one.after.query === query && one.index === index);

  async function compare(command: string, asked: Command, index: string, runs: readonly Run[]): Promise<void> {
    const without = await explainer.explain(asked, index).then(
      (explained) => explained.runs,
      (error: Error) => error.message,
    );
    for (const after of runs) {
      if (isCompared(after.query, index)) continue;
      const before = typeof without === 'string' ? without : without.find(({ query }) => query === after.query);
      if (before !== undefined) comparisons.push({ command, index, after, before });
    }
  }

  const readWhole = (command: string, runs: readonly Run[]) =>
    runs.flatMap(({ query, tablesReadWhole }) => {
      const whole = tablesReadWhole.filter((table) => largeTables.includes(table));
      return whole.length > 0 ? [`${command}: ${query} reads ${whole.join(', ')} as a whole`] : [];
    });

  for (const [command, asked] of Object.entries(commands)) {
    await explainer.explain(asked);
    const { runs, foundSomething } = await explainer.explain(asked);
    if (!foundSomething) faults.add(`${command} finds nothing`);
    // A connection that lives long comes to plans that are made for any values.
    const anyValues = await explainer.explain({ ...asked, plans: 'force_generic_plan' });
    for (const fault of readWhole(command, runs)) faults.add(fault);
    for (const fault of readWhole(command, anyValues.runs)) {
      if (!faults.has(fault)) faults.add(`${fault}, where it is planned for any values`);
    }
    for (const { query, indexes, indexesNotReached } of runs) {
      for (const index of indexes) reached.add(`${query} looks into ${index}`);
      for (const index of indexesNotReached) notReached.set(`${query} looks into ${index}`, command);
    }
    for (const index of new Set(runs.flatMap(({ indexes }) => indexes))) {
      const fresh = runs.filter(({ query, indexes }) => indexes.includes(index) && !isCompared(query, index));
      if (fresh.length > 0) await compare(command, asked, index, fresh);
    }
    say(`${command}: ${runs.length} statements.`);
  }
  for (const [look, command] of notReached) {
    if (!reached.has(look)) faults.add(`${command}: it never comes to it that ${look}`);
  }
  return { comparisons, faults: [...faults] };
}
