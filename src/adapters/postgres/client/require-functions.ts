import type { Pool } from 'pg';
import { guarded } from './failures.ts';
import { functionSchema } from './function-set.ts';

/** This version's SQL functions are not installed, or the service's user may not call them. */
export class FunctionsMissing extends Error {}

/**
 * Checks that this version's SQL functions are installed and may be called.
 *
 * @throws FunctionsMissing
 * @throws Refusal if Postgres is unavailable
 */
export async function requireFunctions(pool: Pool): Promise<void> {
  const { rows } = await guarded(() =>
    pool.query<{ usable: boolean }>(
      `SELECT has_schema_privilege(oid, 'USAGE') AS usable FROM pg_namespace WHERE nspname = $1`,
      [functionSchema],
    ),
  );
  if (rows[0] === undefined) {
    throw new FunctionsMissing(`The database does not have the SQL functions of this version (${functionSchema}).`);
  }
  if (!rows[0].usable) {
    throw new FunctionsMissing(`The database user may not call the SQL functions of this version (${functionSchema}).`);
  }
}
