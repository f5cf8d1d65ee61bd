import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { describe, expect, inject, test } from 'vitest';
import { functionSchema } from '#adapters/postgres/client/function-set.ts';
import { migrate } from '#adapters/postgres/install/migrate.ts';
import { copyDatabase } from '#tests/support/database.ts';
import { driftOf } from '#tests/support/drift.ts';
import { openPostgres } from '#tests/support/open-postgres.ts';
import { reaped } from '#tests/support/reaper.ts';
import { until } from '#tests/support/until.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MIGRATIONS = new URL('../../../prisma/migrations/', import.meta.url);
/** Created by a migration after the first, so that its name can be taken before. */
const A_FUNCTION =
  'CREATE FUNCTION emit_reservation_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$';
const ITS_MIGRATION = '20261130000500_events';

describe('the schema', () => {
  test('equals the result of the migrations', async () => {
    await using database = await migrated();
    expect(await driftOf(database.url)).toBe('');
  });

  test('drifts from a database with another column, another type, or a missing foreign key', async () => {
    await using database = await migrated();
    await database.query(
      `ALTER TABLE users ADD COLUMN planted int;
       ALTER TABLE users ALTER COLUMN created_at TYPE timestamptz;
       ALTER TABLE wallets DROP CONSTRAINT wallets_user_id_fkey`,
    );
    const remedy = await driftOf(database.url);
    expect(remedy).toContain('DROP COLUMN "planted"');
    expect(remedy).toContain('TIMESTAMPTZ(3)');
    expect(remedy).toContain('ADD CONSTRAINT "wallets_user_id_fkey"');
  });
});

describe('migrating', () => {
  test('applies each migration once, however many instances start at once', async () => {
    await using database = await empty();
    const applied = await Promise.all(Array.from({ length: 8 }, () => migrate(database.url)));
    expect(applied.flatMap(({ migrations }) => migrations)).toEqual(await migrationNames());
    expect(applied.filter(({ migrations }) => migrations.length > 0)).toHaveLength(1);
    expect(applied.flatMap(({ functions }) => functions ?? [])).toEqual([functionSchema]);
  });

  test('is complete before a service is ready', async () => {
    await using database = await empty();
    const postgres = openPostgres(database.url, { poolMax: 1 });
    await expect(postgres.ping()).rejects.toThrow('"concerts" does not exist');
    await migrate(database.url);
    await expect(postgres.ping()).resolves.toBeUndefined();
    await postgres.close();
  });

  test('has nothing to do the second time', async () => {
    await using database = await migrated();
    expect(await migrate(database.url)).toEqual({ migrations: [], functions: undefined });
  });

  test('leaves nothing behind that keeps the process alive', async () => {
    await using database = await empty();
    // In a process of its own: others of this one's tests have timers.
    const script = `import { functionSchema } from '#adapters/postgres/client/function-set.ts';
import { migrate } from '#adapters/postgres/install/migrate.ts';
      await migrate(${JSON.stringify(database.url)});
      console.log(JSON.stringify(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout')));`;
    const running = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { cwd: ROOT });
    reaped(running.child);
    expect(JSON.parse((await running).stdout)).toEqual([]);
  });

  test('leaves the records that `prisma migrate deploy` leaves', async () => {
    await using database = await migrated();
    const records = await database.query(
      `SELECT migration_name, checksum, applied_steps_count, logs, rolled_back_at, started_at <= finished_at AS finished
         FROM _prisma_migrations ORDER BY started_at`,
    );
    const expected = (await migrationNames()).map(async (name) => ({
      migration_name: name,
      checksum: sha256(await readFile(new URL(`${name}/migration.sql`, MIGRATIONS))),
      applied_steps_count: 1,
      logs: null,
      rolled_back_at: null,
      finished: true,
    }));
    expect(records).toEqual(await Promise.all(expected));
  });

  test('waits for another migrator, but not forever', async () => {
    await using database = await empty();
    await using other = await session(database.url);
    await other.query('SELECT pg_advisory_lock(72707369)');
    await expect(migrate(database.url, 1)).rejects.toThrow(
      'Another process has been migrating this database for 1 seconds',
    );
  });

  test('names a failing migration, rolls it back, and continues from there once the cause is gone', async () => {
    await using database = await empty();
    await database.query(A_FUNCTION);
    await expect(migrate(database.url)).rejects.toThrow(
      `Migration ${ITS_MIGRATION} failed and was undone: function "emit_reservation_event" already exists`,
    );
    await database.query('DROP FUNCTION emit_reservation_event');
    expect((await migrate(database.url)).migrations[0]).toBe(ITS_MIGRATION);
    expect(await driftOf(database.url)).toBe('');
  });

  test('killed during a migration, repeats it', async () => {
    await using database = await empty();
    await using other = await session(database.url);
    // Whoever makes the same function waits for this transaction to end.
    await other.query(`BEGIN; ${A_FUNCTION}`);
    await killWhileItWaits(database);
    await other.query('ROLLBACK');
    expect((await migrate(database.url)).migrations[0]).toBe(ITS_MIGRATION);
    expect(await driftOf(database.url)).toBe('');
  });

  test('refuses a database whose applied migrations were edited, and names them', async () => {
    await using database = await migrated();
    await database.query(`UPDATE _prisma_migrations SET checksum = 'x' WHERE migration_name = '${ITS_MIGRATION}'`);
    await expect(migrate(database.url)).rejects.toThrow(
      `Edited after they were applied to this database: ${ITS_MIGRATION}`,
    );
  });
});

test('a database of another history is refused, and one migrated by a newer version is left alone', async () => {
  await using database = await migrated();
  const record = (name: string) =>
    database.query(`
      INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at)
      VALUES (gen_random_uuid()::text, 'x', '${name}', now())`);
  await record('20991231000000_newer');
  expect((await migrate(database.url)).migrations).toEqual([]);
  await database.query(`DELETE FROM _prisma_migrations WHERE migration_name = '${ITS_MIGRATION}'`);
  await expect(migrate(database.url)).rejects.toThrow('migrations of another history: 20991231000000_newer');
});

async function killWhileItWaits(database: { readonly url: string; query(sql: string): Promise<unknown[]> }) {
  const killed = expect(migrate(database.url)).rejects.toThrow();
  // Asked and killed in one statement: between its tries a migration does not wait for anybody.
  const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await until('the migration waits, and is killed', async () => (await database.query(kill)).length === 1);
  await killed;
}

async function empty() {
  return own('template0');
}

async function migrated() {
  return own(inject('databaseTemplate'));
}

async function own(template: string) {
  const database = await copyDatabase(inject('databaseUrl'), template);
  const { query, [Symbol.asyncDispose]: end } = await session(database.databaseUrl);
  const drop = async () => {
    await end();
    await database.drop();
  };
  return { url: database.databaseUrl, query, [Symbol.asyncDispose]: drop };
}

async function session(databaseUrl: string) {
  const client = new Client(databaseUrl);
  await client.connect();
  return {
    query: async (sql: string) => (await client.query(sql)).rows,
    [Symbol.asyncDispose]: () => client.end(),
  };
}

async function migrationNames(): Promise<string[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
