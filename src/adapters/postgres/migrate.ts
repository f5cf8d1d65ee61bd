import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { DriverAdapterError } from '@prisma/driver-adapter-utils';
import { type ClientBase, DatabaseError, Pool } from 'pg';
import { EVERYTHING, schemaEngine } from './schema-engine.ts';

const MIGRATIONS = new URL('../../../prisma/migrations/', import.meta.url);

/** The key that `prisma migrate` takes too, so that it and we keep out of each other's way. */
const LOCK_KEY = 72_707_369;
/** Longer than a migration of ours takes, shorter than an orchestrator's patience with an instance that starts. */
const LOCK_WAIT_SECONDS = 60;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * How long a migration waits for each of its locks, and before it is tried again: once per entry. Whoever comes after it waits
 * with it, so it gives way soon at first, before commands do (two seconds) and before Postgres looks for a deadlock (one).
 * Longer in the end, for what an autovacuum has locked: Postgres ends that for those who have waited for a second.
 */
const TRIES_MS = [250, 250, 250, 500, 500, 1_000, 2_000, 4_000];

const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK_DETECTED = '40P01';
const IN_THE_WAY = [LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED];

/** The engine does it after the commit; were the process killed in between, nobody could tell whether the file was kept. */
const RECORD_ITS_END = `
;UPDATE _prisma_migrations SET finished_at = now() WHERE finished_at IS NULL AND rolled_back_at IS NULL`;

/**
 * Brings the database up to `prisma/migrations` and returns the names of those applied now, oldest first. Any number of
 * instances may call it at once: one migrates, the others wait up to a minute and find nothing to do.
 *
 * A migration is one transaction, its record included (so no `CREATE INDEX CONCURRENTLY`). Whether it fails or the
 * process is killed, nothing of it stays, and the next call tries it again. Where others have locked what it needs, it is
 * tried again at once: they go on booking meanwhile.
 */
export async function migrate(databaseUrl: string, lockWaitSeconds = LOCK_WAIT_SECONDS): Promise<string[]> {
  const pool = new Pool({ connectionString: databaseUrl, max: 1, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  try {
    const session = await pool.connect();
    // The query under way reports a lost connection; without a listener it would also end the process.
    session.on('error', () => {});
    try {
      await lock(session, lockWaitSeconds);
      // A pool closes its connection after a query that failed: the lock would go with it. So this session serves all.
      Object.assign(pool, { query: session.query.bind(session) });
      return await applyAll(pool);
    } finally {
      session.release(true);
    }
  } finally {
    await pool.end();
  }
}

async function lock(session: ClientBase, waitSeconds: number): Promise<void> {
  // A migration may take longer than a statement of a request; and Prisma's adapter sends times in UTC without saying so.
  await session.query("SET statement_timeout = 0; SET TimeZone = 'UTC'");
  try {
    await session.query(`SET lock_timeout = '${waitSeconds}s'`);
    await session.query(`SELECT pg_advisory_lock(${LOCK_KEY})`);
  } catch (error) {
    if (!(error instanceof DatabaseError && error.code === LOCK_NOT_AVAILABLE)) throw error;
    throw new Error(`Somebody else has been migrating this database for ${waitSeconds} seconds; start again later.`, {
      cause: error,
    });
  }
  await session.query('RESET lock_timeout');
}

async function applyAll(pool: Pool): Promise<string[]> {
  const files = new WholeFiles(pool);
  const engine = await schemaEngine(files);
  const input = { migrationsList: await readMigrations(), filters: EVERYTHING };
  const unfinished = async () =>
    (await engine.diagnoseMigrationHistory({ ...input, optInToShadowDatabase: false })).failedMigrationNames;

  // Under the lock nobody is at work on these, and as they have no record of their end, nothing of them was kept.
  for (const migrationName of await unfinished()) await engine.markMigrationRolledBack({ migrationName });
  try {
    return (await engine.applyMigrations(input)).appliedMigrationNames;
  } catch (error) {
    const refusal = files.refusal;
    if (refusal === undefined) throw error;
    const what = [refusal.message, refusal.detail, refusal.hint].filter(Boolean).join(' – ');
    throw new Error(`Migration ${await unfinished()} failed and was undone: ${what}`, { cause: refusal });
  }
}

/**
 * Prisma's adapter cuts a script at each `;`, those inside functions too, and runs the pieces one by one. Here a
 * migration goes to Postgres as it is: as one query, which is one transaction.
 */
class WholeFiles extends PrismaPg {
  /** What Postgres answered to the file that failed. */
  refusal: DatabaseError | undefined;

  override async connect() {
    const adapter = await super.connect();
    adapter.executeScript = async (script) => {
      try {
        await givingWay(adapter.underlyingDriver(), script + RECORD_ITS_END);
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        this.refusal = error;
        throw new DriverAdapterError(asPrismaSees(error));
      }
    };
    return adapter;
  }
}

/** The engine does not hear of a try that was undone: it would write it down as a failure. */
async function givingWay(session: Pool, script: string): Promise<void> {
  for (const [at, waitMs] of TRIES_MS.entries()) {
    try {
      await session.query(`SET LOCAL lock_timeout = ${waitMs}; ${script}`);
      return;
    } catch (error) {
      const inTheWay = error instanceof DatabaseError && IN_THE_WAY.includes(error.code ?? '');
      if (!inTheWay || at + 1 === TRIES_MS.length) throw error;
      await pause(waitMs);
    }
  }
}

/** In this shape the engine can write the failure down in the migration's record. */
function asPrismaSees({ code = '', severity = '', message, detail, column, hint }: DatabaseError) {
  return { kind: 'postgres' as const, code, severity, message, detail, column, hint };
}

async function readMigrations() {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return {
    baseDir: fileURLToPath(MIGRATIONS),
    lockfile: { path: 'migration_lock.toml', content: null },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(names.sort().map(readMigration)),
  };
}

async function readMigration(name: string) {
  const value = await readFile(new URL(`${name}/migration.sql`, MIGRATIONS), 'utf8');
  return { path: name, migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value } } };
}
