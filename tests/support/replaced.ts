import type { Pool } from 'pg';
import { functionSchema } from '#adapters/postgres/client/function-set.ts';

/** What is in the text, and what is to be there instead. */
export type Change = readonly [found: RegExp, instead: string];

/** The text with each change made, for which there has to be something to change: else a control would control nothing. */
export function replaced(text: string, changes: readonly Change[]): string {
  return changes.reduce((changed, [found, instead]) => {
    if (!found.test(changed)) throw new RangeError(`${found} is not there any more`);
    return changed.replace(found, instead);
  }, text);
}

/** The definition of an installed SQL function of the service's set. */
export async function definitionOf(pool: Pool, name: string): Promise<string> {
  const { rows } = await pool.query<{ text: string }>(
    'SELECT pg_get_functiondef(oid) AS text FROM pg_proc WHERE proname = $1 AND pronamespace = $2::regnamespace',
    [name, functionSchema],
  );
  if (rows[0] === undefined) throw new RangeError(`there is no function ${name}`);
  return rows[0].text;
}

/** Changes an installed SQL function. Returns a function that restores it. */
export async function changeFunction(
  pool: Pool,
  name: string,
  changes: readonly Change[],
): Promise<() => Promise<unknown>> {
  const text = await definitionOf(pool, name);
  await pool.query(replaced(text, changes));
  return () => pool.query(text);
}
