import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, expect, test } from 'vitest';
import { contradictions } from '#tests/support/books.ts';
import { changedCopy } from '#tests/support/changed-copy.ts';
import { PRICE } from '#tests/support/hall.ts';
import type { Instance } from '#tests/support/instance.ts';
import { reaped } from '#tests/support/reaper.ts';
import { until } from '#tests/support/until.ts';
import { letIn, startWorld } from '#tests/support/world.ts';

// An installation that is upgraded while it sells. The new version has a migration more and another body of one function,
// which needs that migration.

const SHOPPERS = 3;
/** As many are made before the migration, after it, on both versions, and on the new one alone. */
const PURCHASES = 6;
const SEATS = 1_000;

const world = await startWorld({ instances: 1 });
const next = await changedCopy([
  {
    sql: 'LOCK TABLE seats IN EXCLUSIVE MODE; ALTER TABLE seats ADD COLUMN held_by_next boolean NOT NULL DEFAULT false',
  },
  {
    file: 'src/adapters/postgres/booking/sql/hold_seats.sql',
    found: /UPDATE seats SET status = 'HELD',/,
    instead: '$& held_by_next = true,',
  },
]);
afterAll(next.remove);

async function migrateNext(): Promise<string> {
  const env = { PATH: process.env.PATH, DATABASE_URL: world.databaseUrl };
  const command = join(next.dir, 'src/commands/migrate.ts');
  const running = promisify(execFile)(process.execPath, [command], { env, cwd: tmpdir() });
  reaped(running.child);
  return (await running).stdout;
}

const heldByNext = async (): Promise<number> => {
  const { rows } = await world.pool.query<{ count: number }>(
    'SELECT count(*)::integer AS count FROM seats WHERE held_by_next',
  );
  return rows[0]?.count ?? 0;
};

test('a migration waits for a command that has locked its tables, while later commands succeed', async () => {
  const concert = await world.openHall();
  await using longest = await connected();
  await using buyer = await connected();
  await longest.client.query(
    `BEGIN; UPDATE seats SET price = price WHERE concert_id = '${concert}' AND seat_number = 1`,
  );

  const migrating = migrateNext();
  const waits = () => world.pool.query("SELECT FROM pg_locks WHERE NOT granted AND relation = 'seats'::regclass");
  await until('the migration waits', async () => (await waits()).rows.length > 0);
  // A client that comes now waits with it, but not for the first one, which goes on only afterwards.
  await buyer.client.query(`SELECT FROM seats WHERE concert_id = '${concert}' AND seat_number = 2 FOR UPDATE`);
  await longest.client.query('COMMIT');
  expect(await migrating).toMatch(/^Applied \d+_changed\.\nInstalled the SQL functions as frontrow_[0-9a-f]{12}\.\n$/);
  await world.pool.query(
    `ALTER TABLE seats DROP COLUMN held_by_next; DELETE FROM _prisma_migrations WHERE migration_name ~ '_changed$'`,
  );
});

test('an upgrade loses no command: old and new instances sell side by side, each by its own functions', async () => {
  const doors: Instance[] = [...world.instances];
  await using sale = await sell(doors);
  await sale.goesOn();

  await migrateNext();
  await sale.goesOn();
  expect(await heldByNext()).toBe(0);

  doors.push(await world.start({}, join(next.dir, 'src/main.ts')));
  await until('the new version has sold seats', async () => (await heldByNext()) >= PURCHASES);
  await sale.goesOn();

  const [old] = doors.splice(0, 1);
  expect(await old?.end('SIGTERM')).toMatchObject({ code: 0 });
  await sale.goesOn();
  expect(await sale.end()).toEqual([]);
  expect(await contradictions(world.pool)).toEqual([]);
});

/** Clients who hold, extend, pay and cancel at these doors, each time as another user, until they are told to stop. */
async function sell(doors: readonly Instance[]) {
  const concert = await world.openHall({ seats: SEATS });
  const failures: string[] = [];
  let [purchases, nextSeat, stopped] = [0, 1, false];

  async function shop() {
    while (!stopped && failures.length === 0) {
      const fan = await world.fan({ balance: PRICE, doors });
      await letIn([fan], concert);
      const reservation = await fan.hold(nextSeat++);
      const answers = [await fan.extend(reservation), await fan.pay(reservation), await fan.cancel(reservation)];
      failures.push(...answers.filter(({ status }) => status !== 201).map(({ body }) => JSON.stringify(body)));
      purchases += 1;
    }
  }
  const shopping = Promise.all(Array.from({ length: SHOPPERS }, shop)).catch((error: unknown) => {
    failures.push(String(error));
  });
  const end = async () => {
    stopped = true;
    await shopping;
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

async function connected() {
  const client = new Client(world.databaseUrl);
  client.on('error', () => {});
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}
