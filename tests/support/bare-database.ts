import { Client, type ClientBase, Pool } from 'pg';
import { inject } from 'vitest';
import { copyDatabase, type TestDatabase } from './database.ts';

/** Something in the schema that refuses: by name, on which table, how to put it there and how to take it away. */
export type Guard = Readonly<Record<'name' | 'on' | 'make' | 'drop', string>>;

export type BareDatabase = {
  /** All guards that the tables had. Keys that say which row is which are none: without them there is nothing to guard. */
  readonly guards: readonly Guard[];
  /** A session that sees this guard and no other, on the same rows. What it does is rolled back when it is disposed of. */
  withOnly(name: string): Promise<GuardedSession>;
  /** The same for several sessions: a database with this guard, and with no other. It has to be disposed of. */
  copyWithOnly(name: string): Promise<GuardedDatabase>;
  drop(): Promise<void>;
};

export type GuardedSession = AsyncDisposable & {
  readonly session: ClientBase;
  /** What the statement does stays, unless it fails: then it answers why. What is checked at commit is checked here. */
  attempt(statement: string): Promise<Error | undefined>;
  dropGuard(): Promise<void>;
};

export type GuardedDatabase = AsyncDisposable & { readonly pool: Pool; dropGuard(): Promise<void> };

/**
 * What is between a seat or an amount and a wrong statement: foreign keys, checks, unique indexes, triggers. An index that a
 * foreign key refers to has the primary key in it and guards nothing by itself.
 */
const GUARDS = `
  SELECT conname AS name, conrelid::regclass::text AS "on",
    format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS make,
    format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop
  FROM pg_constraint WHERE contype IN ('f', 'c') AND connamespace = current_schema()::regnamespace
  UNION ALL
  SELECT tgname, tgrelid::regclass::text, pg_get_triggerdef(oid), format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass)
  FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL
  SELECT indexrelid::regclass::text, indrelid::regclass::text, pg_get_indexdef(indexrelid),
    format('DROP INDEX %s', indexrelid::regclass)
  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
  WHERE indisunique AND NOT indisprimary AND relnamespace = current_schema()::regnamespace
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)`;

/** Makes a database, has it filled while it is whole, and takes every guard away. */
export async function bareDatabase(fill: (databaseUrl: string) => Promise<void>): Promise<BareDatabase> {
  const bare = await copyDatabase(inject('databaseUrl'), inject('databaseTemplate'));
  await fill(bare.databaseUrl);
  const owner = new Client(bare.databaseUrl);
  await owner.connect();
  const { rows: guards } = await owner.query<Guard>(GUARDS);
  await owner.query(guards.map(({ drop }) => drop).join(';'));
  await owner.end();
  // A database is copied only while nobody is connected to it.
  const attacked = await copyDatabase(inject('databaseUrl'), bare.name);
  const session = new Client(attacked.databaseUrl);
  await session.connect();

  function named(name: string): Guard {
    const guard = guards.find((one) => one.name === name);
    if (guard === undefined) throw new RangeError(`there is no guard ${name}`);
    return guard;
  }
  return {
    guards,
    withOnly: (name) => guardedSession(session, named(name)),
    copyWithOnly: async (name) => guardedDatabase(await copyDatabase(inject('databaseUrl'), bare.name), named(name)),
    async drop() {
      await session.end();
      await Promise.all([attacked.drop(), bare.drop()]);
    },
  };
}

async function guardedSession(session: Client, guard: Guard): Promise<GuardedSession> {
  await session.query(`BEGIN; ${guard.make}`);
  return {
    session,
    async attempt(statement) {
      try {
        await session.query(
          `SAVEPOINT attempt; ${statement}; SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; RELEASE attempt`,
        );
        return undefined;
      } catch (error) {
        await session.query('ROLLBACK TO attempt');
        return error as Error;
      }
    },
    async dropGuard() {
      await session.query(guard.drop);
    },
    async [Symbol.asyncDispose]() {
      await session.query('ROLLBACK');
    },
  };
}

async function guardedDatabase(database: TestDatabase, guard: Guard): Promise<GuardedDatabase> {
  const pool = new Pool({ connectionString: database.databaseUrl, max: 4 });
  pool.on('error', () => {});
  await pool.query(guard.make);
  return {
    pool,
    async dropGuard() {
      await pool.query(guard.drop);
    },
    async [Symbol.asyncDispose]() {
      await pool.end();
      await database.drop();
    },
  };
}
