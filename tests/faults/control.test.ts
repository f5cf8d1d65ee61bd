import { expect, test } from 'vitest';
import { until } from '#tests/support/until.ts';
import { setStage } from './stage.ts';

// What the other files look for is here to be found: a Postgres that acknowledges before it has written anything down.
const HASTY = { synchronous_commit: 'off', wal_writer_delay: '10s', wal_writer_flush_after: '1GB' };
const { world, postgres, whileBooking } = await setStage({ postgresSettings: HASTY });
const PAYMENTS_LOST = 5;

async function payments(): Promise<number> {
  const { rows } = await world.pool.query<{ count: number }>('SELECT count(*)::integer AS count FROM payments');
  return rows[0]?.count ?? Number.NaN;
}

test('a lost acknowledged change is detected', async () => {
  const crash = whileBooking('Postgres crashes and has forgotten', async () => {
    // What was there before stays: the hall, and who is in it.
    await world.pool.query('CHECKPOINT');
    const before = await payments();
    await until('some users have paid since', async () => (await payments()) >= before + PAYMENTS_LOST);
    await postgres.kill();
    await postgres.restart();
  });
  await expect(crash).rejects.toThrow('acknowledged and lost');
});
