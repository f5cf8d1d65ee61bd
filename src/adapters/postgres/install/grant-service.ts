import { Client } from 'pg';
import { functionSchema } from '#adapters/postgres/client/function-set.ts';
import { askOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Grants a role what the service does and no more: it can change neither append-only tables nor the tables themselves. The owner
 * of the tables calls it, after each migration, with the functions of this version installed. The role must exist.
 */
export async function grantService(databaseUrl: string, role: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  await client.connect();
  try {
    await askOf(client)(functions.grantService, role, functionSchema);
  } finally {
    await client.end();
  }
}
