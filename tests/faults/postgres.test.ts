import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '#tests/support/until.ts';
import { setStage } from './stage.ts';

const { postgres, whileBooking } = await setStage();

/** Somebody with a connection of their own, as an operator has. */
async function operator(): Promise<Client> {
  const client = new Client(postgres.url);
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

const PAYING = `FROM pg_stat_activity WHERE application_name = 'frontrow' AND state = 'active' AND wait_event_type = 'Lock'
  AND query LIKE '%pay_reservation%'`;
const ROUNDS = 3;

test('connections that Postgres ends during payments cost no user money or seats', async () => {
  const [locker, killer] = [await operator(), await operator()];
  let ended = 0;
  await whileBooking('Postgres ends connections amid payments', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      // The seats of a payment are locked by then, and its money is not: it waits in the middle.
      await locker.query('BEGIN');
      await locker.query('SELECT FROM wallets FOR UPDATE');
      await until('a user is paying', async () => {
        const { rows } = await killer.query<{ ended: number }>(
          `SELECT count(*) FILTER (WHERE pg_terminate_backend(pid))::integer AS ended ${PAYING}`,
        );
        ended += rows[0]?.ended ?? 0;
        return (rows[0]?.ended ?? 0) > 0;
      });
      await locker.query('ROLLBACK');
    }
    // And whatever else is under way.
    await killer.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'frontrow' AND pid <> pg_backend_pid()`,
    );
  });
  expect(ended).toBeGreaterThanOrEqual(ROUNDS);
});

test('a Postgres that crashes and restarts has everything acknowledged', async () => {
  const { unclear } = await whileBooking('Postgres crashes, back after 3 s', async (aWhile) => {
    await postgres.kill();
    await aWhile().finally(postgres.restart);
  });
  expect(unclear).toBeGreaterThan(0);
});

test('a frozen Postgres interrupts the service only while it is frozen', async () => {
  const { unclear } = await whileBooking('Postgres is frozen for 3 s', async (aWhile) => {
    await postgres.freeze();
    await aWhile().finally(postgres.thaw);
  });
  expect(unclear).toBeGreaterThan(0);
});
