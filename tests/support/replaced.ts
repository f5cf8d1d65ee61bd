import type { Pool } from 'pg';

/** What is in the text, and what is to be there instead. */
export type Change = readonly [found: RegExp, instead: string];

/** The text with each change made, for which there has to be something to change: else a control would control nothing. */
export function replaced(text: string, changes: readonly Change[]): string {
  return changes.reduce((changed, [found, instead]) => {
    if (!found.test(changed)) throw new RangeError(`${found} is not there any more`);
    return changed.replace(found, instead);
  }, text);
}

/** Changes a SQL function as it is installed, whichever migration that was by. Answers what puts it back. */
export async function changeFunction(
  pool: Pool,
  name: string,
  changes: readonly Change[],
): Promise<() => Promise<unknown>> {
  const { rows } = await pool.query<{ text: string }>(
    'SELECT pg_get_functiondef(oid) AS text FROM pg_proc WHERE proname = $1',
    [name],
  );
  const [row] = rows;
  if (row === undefined) throw new RangeError(`there is no function ${name}`);
  await pool.query(replaced(row.text, changes));
  return () => pool.query(row.text);
}
