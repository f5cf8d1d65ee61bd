import { Client } from 'pg';
import { functionSchema } from '#adapters/postgres/client/function-set.ts';
import { askOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Grants a role exactly the rights of the service: it cannot alter tables or change append-only rows. The owner of the
 * tables calls it after each migration, once the functions of this version are installed. The role must exist.
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
