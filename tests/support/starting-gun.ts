import type { Pool } from 'pg';
import { until } from './until.ts';

/**
 * Holds the runners back at rows that it has locked, until so many of them stand there, and lets them go all at once: so a
 * race is one on every machine, and not a queue that happens to be orderly.
 *
 * Those that only make up the numbers had better await the shot they are given: each that waits for a lock takes a connection.
 *
 * @param rows selects what is locked: `FROM seats WHERE concert_id = $1`
 */
export async function withStartingGun<Result>(
  pool: Pool,
  rows: string,
  values: readonly unknown[],
  runners: number,
  race: (shot: Promise<void>) => Promise<Result>,
): Promise<Result> {
  const starter = await pool.connect();
  let started = false;
  try {
    await starter.query('BEGIN');
    await starter.query(`SELECT ${rows} FOR UPDATE`, [...values]);
    const { promise: shot, resolve: shoot } = Promise.withResolvers<void>();
    const running = race(shot);
    // What goes wrong on the way is reported where the race is awaited.
    running.catch(() => {});
    await until(`${runners} stand at the start`, async () => {
      const { rows: waiting } = await pool.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return waiting.length >= runners;
    });
    await starter.query('COMMIT');
    started = true;
    shoot();
    return await running;
  } finally {
    // A connection that still holds its locks is of no use to anybody.
    starter.release(!started);
  }
}
