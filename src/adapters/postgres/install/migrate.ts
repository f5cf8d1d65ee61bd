import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, DatabaseError } from 'pg';
import { functionSchema } from '#adapters/postgres/client/function-set.ts';
import { installFunctions } from './install-functions.ts';

const MIGRATIONS = new URL('../../../../prisma/migrations/', import.meta.url);

/** The key of `prisma migrate`, so that it and this migrator exclude each other. */
const LOCK_KEY = 72_707_369;
/**
 * Limits the wait for another migrator: longer than a migration takes, shorter than an orchestrator waits for an
 * instance to start.
 */
const LOCK_WAIT_SECONDS = 60;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Limits the wait for each lock of a migration, and the pause before its retry: one try per entry. All commands queue
 * behind a waiting migration. So the first tries give up before a command reaches its lock timeout (two seconds by
 * default), and before Postgres looks for a deadlock (one second). The last ones are longer, for a table locked by
 * autovacuum: Postgres cancels an autovacuum after one second.
 */
const TRIES_MS = [250, 250, 250, 500, 500, 1_000, 2_000, 4_000];

const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK_DETECTED = '40P01';
const RETRIED = [LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED];

/**
 * As `prisma migrate deploy` creates it (schema-engine, sql_schema_connector/src/flavour/postgres), so that both can be
 * used.
 */
const CREATE_RECORDS = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id varchar(36) PRIMARY KEY,
    checksum varchar(64) NOT NULL,
    finished_at timestamptz,
    migration_name varchar(255) NOT NULL,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0
  )`;

type Migration = { readonly name: string; readonly script: string; readonly checksum: string };

/** The work of this call. */
export type Migrated = {
  /** The names of the migrations, oldest first. */
  readonly migrations: readonly string[];
  /** The schema of the newly installed functions; undefined if they were installed before. */
  readonly functions: string | undefined;
};

/**
 * Brings the database up to `prisma/migrations` and installs the SQL functions of this version. Any number of instances may
 * call it at once: one migrates, the others wait up to a minute and find nothing to do.
 *
 * A migration is one transaction, its record included (so no `CREATE INDEX CONCURRENTLY`). If it fails or the process is
 * killed, nothing of it is kept, and the next call tries it again. If a command holds a lock that it needs, it is retried at
 * once; commands go on meanwhile.
 *
 * @throws Error if a migration fails, if an applied one was edited since, or if the database has another history
 */
export async function migrate(databaseUrl: string, lockWaitSeconds = LOCK_WAIT_SECONDS): Promise<Migrated> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // The running query reports a lost connection. Without a listener it would also end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    await lock(client, lockWaitSeconds);
    await client.query(CREATE_RECORDS);
    const pending = await listPending(client, await readMigrations());
    for (const migration of pending) await apply(client, migration);
    const installed = await installFunctions(client);
    return { migrations: pending.map(({ name }) => name), functions: installed ? functionSchema : undefined };
  } finally {
    // Ends the session and its lock.
    await client.end();
  }
}

async function lock(client: Client, waitSeconds: number): Promise<void> {
  // A migration may exceed the statement timeout of requests.
  await client.query('SET statement_timeout = 0');
  try {
    await client.query(`SET lock_timeout = '${waitSeconds}s'`);
    await client.query(`SELECT pg_advisory_lock(${LOCK_KEY})`);
  } catch (error) {
    if (!(error instanceof DatabaseError && error.code === LOCK_NOT_AVAILABLE)) throw error;
    throw new Error(`Another process has been migrating this database for ${waitSeconds} seconds; start again later.`, {
      cause: error,
    });
  }
}

async function readMigrations(): Promise<Migration[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const script = await readFile(new URL(`${name}/migration.sql`, MIGRATIONS), 'utf8');
      return { name, script, checksum: createHash('sha256').update(script).digest('hex') };
    }),
  );
}

async function listPending(client: Client, migrations: readonly Migration[]): Promise<Migration[]> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    `SELECT migration_name AS name, checksum FROM _prisma_migrations
      WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`,
  );
  const applied = new Map(rows.map(({ name, checksum }) => [name, checksum]));
  const edited = migrations.filter(({ name, checksum }) => applied.has(name) && applied.get(name) !== checksum);
  if (edited.length > 0) {
    const names = edited.map(({ name }) => name).join(', ');
    throw new Error(
      `Edited after they were applied to this database: ${names}. Restore them, or make the database anew.`,
    );
  }
  const pending = migrations.filter(({ name }) => !applied.has(name));
  const foreign = [...applied.keys()].filter((name) => !migrations.some((ours) => ours.name === name));
  // A newer version's migrations come after ours, which are then all applied.
  if (pending.length > 0 && foreign.length > 0) {
    throw new Error(
      `This database was made by migrations of another history: ${foreign.join(', ')}. Make it anew; that of \`npm start\` is in .data.`,
    );
  }
  return pending;
}

async function apply(client: Client, { name, script, checksum }: Migration): Promise<void> {
  const record = `
    INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
    VALUES ('${randomUUID()}', '${checksum}', '${name}', now(), clock_timestamp(), 1)`;
  for (const [at, waitMs] of TRIES_MS.entries()) {
    try {
      // Several statements in one query form one transaction.
      await client.query(`SET LOCAL lock_timeout = ${waitMs}; ${script}\n;${record}`);
      return;
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const canRetry = RETRIED.includes(error.code ?? '') && at + 1 < TRIES_MS.length;
      if (!canRetry) {
        const reason = [error.message, error.detail, error.hint].filter(Boolean).join(' – ');
        throw new Error(`Migration ${name} failed and was undone: ${reason}`, { cause: error });
      }
      await pause(waitMs);
    }
  }
}
