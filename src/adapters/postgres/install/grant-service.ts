import { Client } from 'pg';

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Lets a role do what the service does, and no more: neither may it change what is only ever added to, nor the tables
 * themselves. For whoever owns the tables to call, after each migration. The role has to be there.
 */
export async function grantService(databaseUrl: string, role: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  await client.connect();
  try {
    await client.query('SELECT grant_service($1)', [role]);
  } finally {
    await client.end();
  }
}
