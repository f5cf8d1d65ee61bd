import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { functionSchema, functionSet } from '#adapters/postgres/client/function-set.ts';
import { requireFunctions } from '#adapters/postgres/client/require-functions.ts';
import { migrate } from '#adapters/postgres/install/migrate.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { SECRETS } from '#tests/support/instance.ts';
import { openPostgres } from '#tests/support/open-postgres.ts';
import { reaped } from '#tests/support/reaper.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const databaseUrl = await freshDatabase();
const postgres = openPostgres(databaseUrl, { poolMax: 1 });
const { pool } = postgres;
afterAll(postgres.close);

type Installed = Readonly<Record<'name' | 'body' | 'path', string>> & { readonly arguments: number };

/** The text between the dollar quotes. */
const bodyIn = (sql: string) => /\$\$([\s\S]*)\$\$/.exec(sql)?.[1];

describe('the installed functions', () => {
  let installed: readonly Installed[];
  beforeAll(async () => {
    const { rows } = await pool.query<Installed>(
      `SELECT proname AS name, prosrc AS body, pronargs AS arguments, coalesce(array_to_string(proconfig, ' '), '') AS path
         FROM pg_proc WHERE pronamespace = $1::regnamespace ORDER BY proname COLLATE "C"`,
      [functionSchema],
    );
    installed = rows;
  });

  test('are those of the files, with the same bodies and arguments', () => {
    const expected = [...functionSet.values()].map(({ name, creation, parameterCount }) => ({
      ...{ name, body: bodyIn(creation), arguments: parameterCount },
    }));
    expect(installed.map(({ path: _, ...rest }) => rest)).toEqual(expected);
  });

  test('find each other in their own set, whatever the search path of the session is', () => {
    const calling = [...functionSet.values()].filter(({ creation }) => creation.includes('SET search_path'));
    const found = installed.filter(({ path }) => path.includes(`search_path=${functionSchema}, public, pg_temp`));
    expect(found.map(({ name }) => name)).toEqual(calling.map(({ name }) => name));
    expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining(['hold_chosen_seats', 'pay_reservation']));
  });
});

describe('installing', () => {
  const setsThere = async () => {
    const { rows } = await pool.query<{ name: string }>(
      `SELECT nspname AS name FROM pg_namespace WHERE nspname ~ '^frontrow_'`,
    );
    return rows.map(({ name }) => name);
  };

  test('drops the set unused for longest once there are more than five', async () => {
    const others = Array.from({ length: 5 }, () => `frontrow_${randomBytes(6).toString('hex')}`);
    for (const [index, name] of others.entries()) {
      await pool.query(
        `CREATE SCHEMA ${name}; CREATE FUNCTION ${name}.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
         COMMENT ON SCHEMA ${name} IS 'last wanted 2020-01-0${5 - index}T00:00:00.000000Z'`,
      );
    }
    await migrate(databaseUrl);
    expect(new Set(await setsThere())).toEqual(new Set([functionSchema, ...others.slice(0, 4)]));
  });

  test('is rolled back as a whole if it fails, and succeeds in the next call', async () => {
    await pool.query(`DROP SCHEMA ${functionSchema} CASCADE; ALTER VIEW seat_locations RENAME TO elsewhere`);
    await expect(migrate(databaseUrl)).rejects.toThrow('"seat_locations" does not exist');
    expect(await setsThere()).not.toContain(functionSchema);
    await pool.query('ALTER VIEW elsewhere RENAME TO seat_locations');
    expect(await migrate(databaseUrl)).toEqual({ migrations: [], functions: functionSchema });
    await expect(requireFunctions(pool)).resolves.toBeUndefined();
  });
});

describe('a service whose functions are not installed', () => {
  const ALL = `ALTER SCHEMA ${functionSchema} RENAME TO hidden`;
  const BACK = `ALTER SCHEMA hidden RENAME TO ${functionSchema}`;

  test('refuses to start, and says what to do', async () => {
    await pool.query(ALL);
    try {
      const settings = { ...SECRETS, DATABASE_URL: databaseUrl, REDIS_URL: inject('redisUrl'), PORT: '0' };
      const ending = await new Promise<{ code: unknown; said: string }>((resolve) => {
        const env = { PATH: process.env.PATH, ...settings };
        reaped(
          execFile(process.execPath, [MAIN], { env, cwd: tmpdir() }, (error, _, said) =>
            resolve({ code: error?.code, said }),
          ),
        );
      });
      expect(ending).toMatchObject({ code: 1, said: expect.stringContaining(functionSchema) });
      expect(ending.said).toContain('npm run db:migrate');
    } finally {
      await pool.query(BACK);
    }
  });

  test('is not ready while they are missing, or its user may not call them', async () => {
    await pool.query(ALL);
    await expect(postgres.ping()).rejects.toThrow(
      `does not have the SQL functions of this version (${functionSchema})`,
    );
    await pool.query(BACK);
    await expect(postgres.ping()).resolves.toBeUndefined();

    const role = `frontrow_test_${randomBytes(8).toString('hex')}`;
    const owner = new Client(databaseUrl);
    await owner.connect();
    await owner.query(`CREATE ROLE ${role}; GRANT SELECT ON concerts TO ${role}`);
    try {
      await pool.query(`SET ROLE ${role}`);
      await expect(postgres.ping()).rejects.toThrow(
        `may not call the SQL functions of this version (${functionSchema})`,
      );
    } finally {
      await pool.query('RESET ROLE');
      await owner.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      await owner.end();
    }
  });
});
