import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { askOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import type { ConcertId } from '#domain/ids.ts';
import { dueIsFoundByIndex } from '#tests/contracts/due-is-found-by-index.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { makeUsers, openHall } from '#tests/support/hall.ts';

const pool = new Pool({ connectionString: await freshDatabase(), max: 1 });
// The database may be dropped before the last connection has gone; whatever else is lost, a query will say so.
pool.on('error', () => {});
afterAll(() => pool.end());

/** With fewer, Postgres would rather read a backlog as a whole. */
const CROWD = 20_000;

dueIsFoundByIndex(pool, CROWD);

/** How many blocks a statement looks at, with a plan that is made for no values in particular. */
async function blocksOf(statement: string, ...values: unknown[]): Promise<number> {
  const session = await pool.connect();
  try {
    await session.query('BEGIN');
    await session.query('SET LOCAL plan_cache_mode = force_generic_plan');
    const { rows } = await session.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${statement}`, values);
    const { Plan: plan } = rows[0]['QUERY PLAN'][0];
    return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  } finally {
    await session.query('ROLLBACK');
    session.release();
  }
}
/** How many there are of a table, to read it as a whole. */
async function blocksIn(table: string): Promise<number> {
  const { rows } = await pool.query<{ blocks: number }>(
    "SELECT (pg_relation_size($1::regclass) / current_setting('block_size')::integer)::integer AS blocks",
    [table],
  );
  return rows[0]?.blocks ?? 0;
}

describe('a backlog', () => {
  /** Blocks of 8 kB: what is there takes thousands, and a batch needs some dozens. */
  const BLOCKS_MAX = 1_000;

  const takes = (id: string) => blocksOf(functions.takeDeliveries.text, id, 5, 60);

  async function makeEndpoint(): Promise<string> {
    const id = randomUUID();
    await pool.query(
      `INSERT INTO webhook_endpoints (endpoint_id, url, event_types, secret)
       VALUES ($1, 'https://example.com/', '{queue.admitted}', 'whsec_' || encode(decode(repeat('00', 32), 'hex'), 'base64'))`,
      [id],
    );
    return id;
  }
  async function fill(endpoint: string, count: number, state: 'PENDING' | 'FAILED'): Promise<void> {
    await pool.query(
      `WITH told AS (
         INSERT INTO events (type, aggregate_id, aggregate_sequence, happened_at, relayed_at)
         SELECT 'queue.admitted', gen_random_uuid(), 1, clock_timestamp(), clock_timestamp()
         FROM generate_series(1, $2::integer)
         RETURNING event_id)
       INSERT INTO webhook_deliveries (endpoint_id, event_id, state, ended_at, due_at)
       SELECT $1, event_id, $3::delivery_state, CASE $3 WHEN 'FAILED' THEN clock_timestamp() - interval '1 ms' END,
         CASE $3 WHEN 'PENDING' THEN clock_timestamp() - interval '1 ms' END
       FROM told`,
      [endpoint, count, state],
    );
    await pool.query('VACUUM ANALYZE events, webhook_deliveries, webhook_endpoints');
  }

  it('of due rows is taken from without reading the rest', async () => {
    const endpoint = await makeEndpoint();
    await fill(endpoint, CROWD, 'PENDING');
    expect(await takes(endpoint)).toBeLessThan(BLOCKS_MAX);
  });

  it('of replays is due, and taken from without reading the rest', async () => {
    const endpoint = await makeEndpoint();
    await fill(endpoint, CROWD, 'FAILED');
    await askOf(pool)(functions.replayFailed, endpoint, new Date(0), CROWD);
    const { rows } = await pool.query<{ due: string }>(
      'SELECT count(due_at) AS due FROM webhook_deliveries WHERE endpoint_id = $1',
      [endpoint],
    );
    expect(Number(rows[0]?.due)).toBe(CROWD);
    expect(await takes(endpoint)).toBeLessThan(BLOCKS_MAX);
  });

  it('of old events is deleted in batches, without reading the rest', async () => {
    await pool.query(
      `INSERT INTO events (type, aggregate_id, aggregate_sequence, happened_at, relayed_at)
       SELECT 'queue.admitted', gen_random_uuid(), 1, clock_timestamp() - interval '1 ms', clock_timestamp() - interval '1 ms' FROM generate_series(1, $1::integer)`,
      [4 * CROWD],
    );
    await pool.query('VACUUM ANALYZE events');
    const blocks = await blocksOf(functions.forgetEvents.text, 0, 5);
    expect(blocks).toBeLessThan(await blocksIn('events'));
  });
});

describe('a queue', () => {
  const HALLS = 20;

  it('is opened without reading the reservations of other concerts', async () => {
    for (let hall = 0; hall < HALLS; hall++) await reserveEach(await openHall(pool, { seats: (4 * CROWD) / HALLS }));
    const small = await openHall(pool);
    await reserveEach(small);
    await pool.query('VACUUM ANALYZE seats, reservations');
    const blocks = await blocksOf(functions.openQueue.text, small, 'AAAAAAAA');
    expect(blocks).toBeLessThan(await blocksIn('reservations'));
  });

  /** Each seat of a concert by a reservation of its own. As the owner of the server, past the triggers: of these nothing is asked. */
  async function reserveEach(id: ConcertId): Promise<void> {
    const [user] = await makeUsers(pool, 1);
    const reservation = 'md5(concert_id::text || seat_number)::uuid';
    await pool.query(`BEGIN; SET LOCAL session_replication_role = replica`);
    await pool.query(
      `INSERT INTO reservations (reservation_id, user_id, concert_id, date, status, amount, currency, held_until,
         held_for_seconds, created_at, sequence, epoch)
       SELECT ${reservation}, $2, concert_id, date, 'HELD', price, 'KRW', clock_timestamp() + interval '1 hour', 3600,
         clock_timestamp(), seat_number, 'AAAAAAAA'
       FROM seats WHERE concert_id = $1`,
      [id, user],
    );
    await pool.query(
      `UPDATE seats SET status = 'HELD', reservation_id = ${reservation}, fence = 1,
         held_until = clock_timestamp() + interval '1 hour' WHERE concert_id = $1`,
      [id],
    );
    await pool.query('COMMIT');
  }
});
