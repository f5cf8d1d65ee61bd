import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '#adapters/postgres/install/migrate.ts';

export type TestDatabase = { readonly name: string; readonly databaseUrl: string; drop(): Promise<void> };

/** One migrated, empty database per run, to be copied: a copy takes a fraction of what the migrations take. */
export async function makeTemplate(databaseUrl: string): Promise<TestDatabase> {
  const template = await createDatabase(databaseUrl, 'template0');
  try {
    await migrate(template.databaseUrl);
    return template;
  } catch (error) {
    await template.drop();
    throw error;
  }
}

/** A database of one's own, on the same server as the template. */
export async function copyDatabase(databaseUrl: string, template: string): Promise<TestDatabase> {
  return createDatabase(databaseUrl, template);
}

/** Random names: several runs, and several people, may share one server. */
async function createDatabase(serverUrl: string, template: string): Promise<TestDatabase> {
  const name = `frontrow_test_${randomBytes(8).toString('hex')}`;
  await execute(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY FILE_COPY`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    name,
    databaseUrl: url.href,
    drop: () => dropDatabase(serverUrl, name),
  };
}

const OBJECT_IN_USE = '55006';

/**
 * Postgres itself waits up to five seconds for the sessions of a database to end, so a client that is hanging up sees no
 * error. What is still connected after that, such as a backend of a killed instance, is ended.
 */
async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  const drop = `DROP DATABASE IF EXISTS ${name}`;
  await execute(serverUrl, drop).catch(async (error) => {
    if (error.code !== OBJECT_IN_USE) throw error;
    await execute(serverUrl, `${drop} WITH (FORCE)`);
  });
}

/** One connection for all of them: making one takes a good part of what a copy takes. None keeps the process going. */
const owners = new Map<string, pg.Pool>();

async function execute(serverUrl: string, sql: string): Promise<void> {
  const owner = owners.get(serverUrl) ?? new pg.Pool({ connectionString: serverUrl, max: 1, allowExitOnIdle: true });
  if (!owners.has(serverUrl)) {
    // The server ends before the last process that has used it.
    owner.on('error', () => {});
    owners.set(serverUrl, owner);
  }
  await owner.query(sql);
}
