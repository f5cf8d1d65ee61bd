import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client, type DatabaseError } from 'pg';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { functions } from '#adapters/postgres/functions.ts';
import { grantService } from '#adapters/postgres/install/grant-service.ts';
import { contradictions } from '#tests/support/books.ts';
import type { Answer } from '#tests/support/client/client.ts';
import { copyDatabase } from '#tests/support/database.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { DATE, lapse, PRICE } from '#tests/support/hall.ts';
import { ADMIN_KEY } from '#tests/support/instance.ts';
import { reaped } from '#tests/support/reaper.ts';
import { until } from '#tests/support/until.ts';
import { letIn, startWorld } from '#tests/support/world.ts';

// A service that is not the owner of its tables.

const MIGRATE = fileURLToPath(new URL('../../../src/commands/migrate.ts', import.meta.url));
const DENIED = '42501';
const databaseUrl = await freshDatabase();
const role = await newRole('LOGIN');
afterAll(async () => {
  await execute(databaseUrl, `DROP OWNED BY ${role.name}`);
  await role[Symbol.asyncDispose]();
});
await grantService(databaseUrl, role.name);
const world = await startWorld({ databaseUrl, instances: 1, settings: { DATABASE_URL: role.url(databaseUrl) } });
const [service, owner] = [await connected(role.url(databaseUrl)), await connected(databaseUrl)];

describe('a service with the rights of its role', () => {
  test('serves a booking from joining to refund, and runs all background jobs', async () => {
    const concert = await world.openHall({ activeMax: 2 });
    const [fan, late] = await Promise.all([world.fan(), world.fan()]);
    await letIn([fan, late], concert);

    const lapsing = await late.hold(3);
    await lapse(world.pool, lapsing);
    const held = await fan.hold(1, 2);
    const answers: Answer[] = [
      await fan.extend(held),
      await fan.charge(2 * PRICE),
      await fan.pay(held),
      await fan.cancel(held),
      await fan.call('GET', `/v1/users/${fan.userId}/balance/entries`),
      await fan.call('GET', '/v1/payments'),
      await late.reserveBest({ quantity: 2 }),
      await late.leave(),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 200, 200, 201, 204]);

    const admin = (method: string, path: string, body?: unknown) =>
      fan.call(method, `/v1/admin/concerts${path}`, { body, headers: { authorization: `Bearer ${ADMIN_KEY}` } });
    const plan = { title: 'Made by the role', venue: 'A hall', salesOpenAt: '2020-01-01T00:00:00.000Z' };
    const dates = [{ date: DATE, startsAt: `${DATE}T10:00:00.000Z`, seats: [{ first: 1, last: 10, price: PRICE }] }];
    const orders = [
      await admin('POST', '', { ...plan, dates }),
      await admin('PATCH', `/${concert}/policy`, { activeMax: 1 }),
      await admin('POST', `/${concert}/dates/${DATE}/seats/block`, { seatNumbers: [9] }),
    ];
    expect(orders.map(({ status, body }) => [status, body.code])).toEqual([
      [201, undefined],
      [200, undefined],
      [204, undefined],
    ]);

    await until('the expired hold is freed, and the outbox is empty', async () => {
      const { rows } = await world.pool.query<{ done: boolean }>(
        `SELECT status = 'EXPIRED' AND NOT EXISTS (SELECT FROM outbox_messages) AS done FROM reservations WHERE reservation_id = $1`,
        [lapsing],
      );
      return rows[0]?.done === true;
    });
    // A job that is refused something says so. It may have other things to say, on a machine that is slow.
    const warnings = world.instances.flatMap((instance) => instance.log());
    expect(warnings.filter((line) => /permission denied|42501/.test(JSON.stringify(line)))).toEqual([]);
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('may not change append-only tables, even without triggers', async () => {
    const tables = await onlyAddedTo();
    expect(tables.map(([table]) => table)).toEqual(expect.arrayContaining(['ledger_entries', 'payments', 'refunds']));
    const changes = tables.flatMap(([table, column]) => [
      ...[`UPDATE ${table} SET ${column} = ${column}`, `SELECT FROM ${table} FOR UPDATE`],
      ...[`DELETE FROM ${table}`, `TRUNCATE ${table} CASCADE`],
    ]);
    const triggers = (state: 'DISABLE' | 'ENABLE') =>
      owner.query(tables.map(([table]) => `ALTER TABLE ${table} ${state} TRIGGER USER`).join(';'));

    await triggers('DISABLE');
    for (const change of changes) {
      expect(await codeOf(service, change), change).toBe(DENIED);
      // The owner may, as far as foreign keys let anybody: so it is the right that is missing and nothing else.
      expect(await codeOf(owner, change), change).toMatch(change.startsWith('DELETE') ? /^done|23\d{3}$/ : /^done$/);
    }
    await triggers('ENABLE');
  });

  test.each([
    ['truncate a table', 'TRUNCATE outbox_messages'],
    ['create a table', 'CREATE TABLE planted (id integer)'],
    ['alter a table', 'ALTER TABLE ledger_entries ADD COLUMN planted integer'],
    ['switch a trigger off', 'ALTER TABLE ledger_entries DISABLE TRIGGER USER'],
    ['switch all triggers off', 'SET session_replication_role = replica'],
    ['drop an index', 'DROP INDEX reservation_seats_one_live'],
    ['replace a function', 'CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE sql AS $$ $$'],
    [
      'grant itself more rights',
      functions.grantService.text.replace('$1', 'current_user').replace('$2', 'current_schema()'),
    ],
    ['change the record of migrations', 'DELETE FROM _prisma_migrations'],
  ])('may not %s', async (_, statement) => {
    expect(await codeOf(service, statement)).not.toBe('done');
  });
});

describe('granting', () => {
  test('is refused for a role that has all rights anyway', async () => {
    await expect(grantService(databaseUrl, new URL(databaseUrl).username)).rejects.toThrow(/who owns the tables/);
  });

  test.each([
    ['membership of a role that writes everywhere', (name: string) => `GRANT pg_write_all_data TO ${name}`],
    ['a right of everybody', () => 'GRANT UPDATE (amount) ON ledger_entries TO PUBLIC'],
  ])('is refused for a role that may change the ledger by %s', async (_, right) => {
    await using other = await newRole('LOGIN');
    await using database = await ownDatabase();
    await database.query(right(other.name));
    await expect(grantService(database.url, other.name)).rejects.toThrow(/by a right that it has from elsewhere/);
  });

  test('is done by a migrating user who may not create roles, and again after each migration', async () => {
    await using owner = await newRole('LOGIN NOCREATEROLE NOCREATEDB');
    await using other = await newRole('LOGIN');
    await using database = await ownDatabase('template0', owner.name);
    const migrate = async () => {
      const env = { PATH: process.env.PATH, DATABASE_URL: owner.url(database.url) };
      const args = [MIGRATE, '--service-role', other.name];
      const running = promisify(execFile)(process.execPath, args, { env, cwd: tmpdir() });
      reaped(running.child);
      return (await running).stdout;
    };
    expect(await migrate()).toMatch(
      /Applied .+\.\nInstalled the SQL functions .+\n[\s\S]*may do what the service does/,
    );

    const writes = async (table: string) => {
      const client = new Client(other.url(database.url));
      await client.connect();
      const told = await codeOf(client, `DELETE FROM ${table}`);
      await client.end();
      return told;
    };
    expect([await writes('outbox_messages'), await writes('payments')]).toEqual(['done', DENIED]);
    await database.query(`CREATE TABLE later (id integer); ALTER TABLE later OWNER TO ${owner.name}`);
    expect(await writes('later')).toBe(DENIED);
    expect(await migrate()).toMatch(/^Nothing to do/);
    expect(await writes('later')).toBe('done');
  });
});

/** The tables whose rows a trigger lets nobody change or delete, each with one of its columns. */
async function onlyAddedTo(): Promise<[table: string, column: string][]> {
  const { rows } = await owner.query<{ table: string; column: string }>(
    `SELECT relname AS table, attname AS column
     FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid JOIN pg_attribute ON attrelid = c.oid AND attnum = 1
     WHERE pg_get_triggerdef(pg_trigger.oid) ~ 'BEFORE .*DELETE OR UPDATE .*FOR EACH STATEMENT .*refuse_change'
     ORDER BY relname`,
  );
  return rows.map(({ table, column }) => [table, column]);
}

/** What came of a statement: its SQLSTATE, or that it was done. What is done is undone again. */
async function codeOf(client: Client, statement: string): Promise<string> {
  const code = await client.query(`BEGIN; ${statement}`).then(
    () => 'done',
    (error: DatabaseError) => error.code ?? '',
  );
  await client.query('ROLLBACK');
  return code;
}

async function connected(url: string): Promise<Client> {
  const client = new Client(url);
  await client.connect();
  afterAll(() => client.end());
  return client;
}

/** Roles are the whole server's: a random name, and to be dropped after the databases that know it. */
async function newRole(options: string) {
  const [name, password] = [`frontrow_test_${randomBytes(8).toString('hex')}`, randomUUID()];
  const server = inject('databaseUrl');
  await execute(server, `CREATE ROLE ${name} ${options} PASSWORD '${password}'`);
  return {
    name,
    url: (database: string) => Object.assign(new URL(database), { username: name, password }).href,
    [Symbol.asyncDispose]: () => execute(server, `DROP ROLE ${name}`),
  };
}

async function ownDatabase(template = inject('databaseTemplate'), owner?: string) {
  const database = await copyDatabase(inject('databaseUrl'), template);
  if (owner !== undefined) {
    const name = new URL(database.databaseUrl).pathname.slice(1);
    await execute(inject('databaseUrl'), `ALTER DATABASE ${name} OWNER TO ${owner}`);
  }
  return {
    url: database.databaseUrl,
    query: (sql: string) => execute(database.databaseUrl, sql),
    [Symbol.asyncDispose]: database.drop,
  };
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
