import type { Pool } from 'pg';
import { until } from './until.ts';

/** What an instance that died had taken upon itself is left to it for five seconds, or ten where it is events. */
const TOLD_MS_MAX = 15_000;

const LEFT = `
  SELECT (SELECT count(*) FROM outbox WHERE created_at <= $1::timestamptz)::integer AS aftermaths,
    (SELECT count(*) FROM events WHERE relayed_at IS NULL AND written_at <= $1::timestamptz)::integer AS events`;

/**
 * Waits until Redis has been told of all that has happened by now, and other services too: by the jobs of instances that run, or by
 * `relay` where there are none. Holds that run out meanwhile may go on for as long as they like.
 */
export async function untilTold(
  pool: Pool,
  limitMs = TOLD_MS_MAX,
  relay: () => Promise<unknown> = async () => {},
): Promise<void> {
  const [by] = (await pool.query<{ now: string }>('SELECT clock_timestamp()::text AS now')).rows;
  let left = { aftermaths: 0, events: 0 };
  const allTold = async () => {
    await relay();
    const { rows } = await pool.query<typeof left>(LEFT, [by?.now]);
    left = rows[0] ?? left;
    return left.aftermaths + left.events === 0;
  };
  await until('all is told', allTold, limitMs).catch((error) => {
    throw new Error(`${error.message}: ${left.aftermaths} rows of the outbox and ${left.events} events are left`);
  });
}
