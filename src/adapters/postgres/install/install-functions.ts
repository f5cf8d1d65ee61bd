import type { Client } from 'pg';
import { functionSchema, functionSet } from '#adapters/postgres/client/function-set.ts';

/** Keeps the function sets of this many versions, whose instances can run side by side. Older sets are dropped. */
const SETS_KEPT = 5;

/**
 * Installs this version's functions and returns true; returns false if they are installed. Functions of other versions
 * stay, so that their instances go on. One transaction, called under the migrator's lock.
 */
export async function installFunctions(client: Client): Promise<boolean> {
  await client.query('BEGIN');
  const { rowCount } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [functionSchema]);
  const isMissing = rowCount === 0;
  if (isMissing) await create(client);
  await client.query(NOTE_WANTED);
  await dropOldest(client);
  await client.query('COMMIT');
  return isMissing;
}

async function create(client: Client): Promise<void> {
  // A function may be created before those that it calls.
  await client.query('SET LOCAL check_function_bodies = off');
  await client.query(`CREATE SCHEMA ${functionSchema}`);
  // The set first, then the tables.
  await client.query(
    `SELECT set_config('search_path', format('${functionSchema}, %I, pg_temp', current_schema()), true)`,
  );
  for (const { creation } of functionSet.values()) await client.query(creation);
}

/** Stores when the set was last wanted, as text that sorts by time. */
const NOTE_WANTED = `DO $$ BEGIN
  EXECUTE format('COMMENT ON SCHEMA ${functionSchema} IS %L',
    'last wanted ' || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
END $$`;

async function dropOldest(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT nspname AS name FROM pg_namespace WHERE nspname ~ '^frontrow_[0-9a-f]{12}$'
      ORDER BY obj_description(oid, 'pg_namespace') DESC NULLS LAST OFFSET ${SETS_KEPT}`,
  );
  for (const { name } of rows) await client.query(`DROP SCHEMA ${name} CASCADE`);
}
