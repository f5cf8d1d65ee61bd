import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { Client, DatabaseError, Pool } from 'pg';
import { expect, inject, test } from 'vitest';
import { migrate } from '#adapters/postgres/install/migrate.ts';
import { contradictions } from '#tests/support/books.ts';
import { copyDatabase } from '#tests/support/database.ts';
import { DATE, makeUsers, openHall, PRICE } from '#tests/support/hall.ts';
import { until } from '#tests/support/until.ts';

// An installation that is brought up to date while it sells: what is new comes in one after the other, and nobody is in
// anybody's way.

const MIGRATIONS = new URL('../../../prisma/migrations/', import.meta.url);
/** The first that is tried here; its function, made by somebody else, keeps it from being applied before. */
const FIRST = '20261120001400_events';
const ITS_FUNCTION = 'tell_of_reservation()';
const BUYERS = 6;
const SEATS = 40;
/** So many purchases are made before the first migration, between them, and after the last. */
const PURCHASES = 10;

test('migrations meet no hold, payment or refund halfway', async () => {
  await using before = await beforeThese();
  const { pool, url } = before;
  await using sale = await sell(pool, url);
  await using operator = await connected(url);

  await sale.goesOn();
  for (const name of await migrationsFrom(FIRST)) {
    const file = await readFile(new URL(`${name}/migration.sql`, MIGRATIONS), 'utf8');
    // As it is, and once: no lock timeout ends a deadlock, and nobody tries again.
    expect(await codeOf(operator.client.query(file)), name).toBe('done');
    await sale.goesOn();
  }
  // Commands have no lock timeout here, so a slow machine refuses nobody anything.
  expect(await sale.end()).toEqual([]);
  expect(await contradictions(pool)).toEqual([]);
});

test('a migration gives way to those who have locked what it needs, and is done when they are', async () => {
  await using before = await beforeThese();
  const { pool, url } = before;
  const concert = await openHall(pool);
  await using longest = await connected(url);
  await using buyer = await connected(url);
  await longest.client.query(
    `BEGIN; UPDATE seats SET price = price WHERE concert_id = '${concert}' AND seat_number = 1`,
  );

  const migrating = migrate(url);
  const waits = () => pool.query("SELECT FROM pg_locks WHERE NOT granted AND relation = 'seats'::regclass");
  await until('the migration waits', async () => (await waits()).rows.length > 0);
  // A client that comes now waits with it, but not for the first one, which goes on only afterwards.
  await buyer.client.query(`SELECT FROM seats WHERE concert_id = '${concert}' AND seat_number = 2 FOR UPDATE`);
  await longest.client.query('COMMIT');
  expect(await migrating).toEqual(await migrationsFrom(FIRST));
});

/** A database that knows nothing of the migrations that are tried here. */
async function beforeThese() {
  const { databaseUrl: url, drop } = await copyDatabase(inject('databaseUrl'), 'template0');
  const pool = new Pool({ connectionString: url, max: 4 });
  pool.on('error', () => {});
  await pool.query(`CREATE FUNCTION ${ITS_FUNCTION} RETURNS integer LANGUAGE sql AS 'SELECT 1'`);
  await expect(migrate(url)).rejects.toThrow(`Migration ${FIRST} failed and was undone`);
  await pool.query(`DROP FUNCTION ${ITS_FUNCTION}`);
  const end = async () => {
    await pool.end();
    await drop();
  };
  return { pool, url, [Symbol.asyncDispose]: end };
}

async function migrationsFrom(first: string): Promise<string[]> {
  const names = (await readdir(MIGRATIONS)).filter((name) => name >= first && /^\d{14}_/.test(name));
  return names.toSorted();
}

/** Buyers who hold, extend, pay and give back, each with a connection and seats of their own, until they are told to stop. */
async function sell(pool: Pool, url: string) {
  const concert = await openHall(pool, { seats: BUYERS * SEATS, seatsPerUserMax: SEATS });
  const users = await makeUsers(pool, BUYERS, SEATS * PRICE);
  const failures: string[] = [];
  let [purchases, stopped] = [0, false];

  async function buy(user: string, index: number) {
    await using own = await connected(url);
    const ask = async (call: string, ...values: readonly unknown[]) => {
      // Under a name, as the service does: it is planned once, and locks its tables in another order from then on.
      const text = `SELECT ${call} AS reply`;
      const asked = own.client.query<{ reply: { refusal?: string } }>({ name: call, text, values: [...values] });
      const reply = await asked.then(({ rows }) => rows[0]?.reply, codeOfError);
      const failure = typeof reply === 'string' ? reply : reply?.refusal;
      if (failure !== undefined) failures.push(failure);
      return failure === undefined;
    };
    for (let round = 0; !stopped; round++) {
      const [reservation, seat] = [randomUUID(), index * SEATS + (round % (SEATS - 1)) + 1];
      const held = await ask(
        `hold_seats($1, $2, $3, $4, $5, 300, ${SEATS}, 1, 'none', $6, 'hold')`,
        ...[reservation, user, concert, DATE, [seat, seat + 1], randomUUID()],
      );
      if (!held) continue;
      await ask(`extend_hold($1, $2, $3, 300, 600, 1, 'none', $4, 'extend')`, user, concert, reservation, randomUUID());
      const key = randomUUID();
      const paid = await ask(
        `pay_reservation($1, $2, $3, $4, 1, 'none', $5, 'pay')`,
        ...[randomUUID(), user, concert, reservation, key],
      );
      await ask(`cancel_reservation($1, $2, $3, 0, $4, 'cancel')`, randomUUID(), user, reservation, randomUUID());
      if (paid) purchases += 1;
    }
  }
  const buying = Promise.all(users.map(buy));
  const end = async () => {
    stopped = true;
    await buying;
    return failures;
  };
  return {
    async goesOn() {
      const enough = purchases + PURCHASES;
      await until('the next purchases', () => purchases >= enough || failures.length > 0);
    },
    end,
    [Symbol.asyncDispose]: async () => {
      await end();
    },
  };
}

async function connected(url: string) {
  const client = new Client(url);
  client.on('error', () => {});
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}

async function codeOf(statement: Promise<unknown>): Promise<string> {
  return statement.then(() => 'done', codeOfError);
}

function codeOfError(error: unknown): string {
  if (error instanceof DatabaseError) return `${error.code}`;
  throw error;
}
