import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concertStatements } from '#adapters/postgres/concert-statements.ts';
import { webhookStatements } from '#adapters/postgres/webhook-statements.ts';
import type { ConcertId } from '#domain/ids.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { DATE, makeUsers, openHall } from '#tests/support/hall.ts';

const pool = new Pool({ connectionString: await freshDatabase(), max: 1 });
// The database may be dropped before the last connection has gone; whatever else is lost, a query will say so.
pool.on('error', () => {});
afterAll(() => pool.end());

/** Enough for reading all of it to be the dearer way. */
const CROWD = 20_000;

let concert: ConcertId;

/** Nothing of it is due. */
beforeAll(async () => {
  concert = await openHall(pool, { seats: CROWD });
  const [user] = await makeUsers(pool, 1);
  const reservation = randomUUID();
  const later = "clock_timestamp() + interval '1 hour' + n * interval '1 ms'";
  await pool.query(
    `INSERT INTO idempotency_keys (user_id, key, fingerprint, answer, answered_at)
     SELECT $1, n, 'asked', '{}', ${later} FROM generate_series(1, $2::integer) n`,
    [user, CROWD],
  );
  await pool.query(
    `INSERT INTO reservations
       (reservation_id, user_id, concert_id, date, status, amount, currency, held_until, held_for_seconds, created_at)
     VALUES ($1, $2, $3, $4, 'HELD', 1, 'KRW', clock_timestamp() + interval '1 hour', 3600, clock_timestamp())`,
    [reservation, user, concert, DATE],
  );
  await pool.query(
    `INSERT INTO reservation_seats (reservation_id, concert_id, date, seat_number, fence, price)
     SELECT $1, concert_id, date, seat_number, 1, price FROM seats WHERE concert_id = $2`,
    [reservation, concert],
  );
  await pool.query(
    `UPDATE seats SET status = 'HELD', reservation_id = $1, fence = 1,
       held_until = clock_timestamp() + interval '1 hour' + seat_number * interval '1 ms' WHERE concert_id = $2`,
    [reservation, concert],
  );
  await pool.query(
    `INSERT INTO outbox (reservation_id, due_at) SELECT $1, ${later} FROM generate_series(1, $2::integer) n`,
    [reservation, CROWD],
  );
  const endpoint = randomUUID();
  await pool.query(
    `INSERT INTO webhook_endpoints (endpoint_id, url, event_types, secret)
     VALUES ($1, 'https://example.com/', '{}', 'whsec_' || encode(decode(repeat('00', 32), 'hex'), 'base64'))`,
    [endpoint],
  );
  await pool.query(
    `WITH told AS (
       INSERT INTO events (type, aggregate_id, happened_at, relayed_at)
       SELECT 'queue.admitted', gen_random_uuid(), clock_timestamp(), clock_timestamp() FROM generate_series(1, $2::integer)
       RETURNING event_id, aggregate_id)
     INSERT INTO webhook_deliveries (endpoint_id, event_id, aggregate_id, due_at)
     SELECT $1, event_id, aggregate_id, clock_timestamp() + interval '1 hour' FROM told`,
    [endpoint, CROWD],
  );
  await pool.query('VACUUM ANALYZE idempotency_keys, seats, outbox, events, webhook_deliveries, webhook_endpoints');
});

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

describe('what is due', () => {
  it.each([
    ['forget_answers', 'answered_at <'],
    ['expire_holds', 'held_until <='],
    ['take_aftermaths', 'due_at <='],
  ])('is looked up in an index, however much there is that is not: %s', async (name, condition) => {
    const { rows } = await pool.query<{ body: string }>('SELECT prosrc AS body FROM pg_proc WHERE proname = $1', [
      name,
    ]);
    // The statement itself, as the function has it.
    const [statement = ''] = /SELECT (?:(?!SELECT)[^;])*FOR UPDATE SKIP LOCKED/.exec(rows[0]?.body ?? '') ?? [];
    const asked = statement.replace('p_batch_max', '500').replace('p_hours', '24');
    const plan = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${asked}`);
    expect(plan.rows.map((row) => row['QUERY PLAN']).join('\n')).toContain(`Index Cond: (${condition}`);
  });
});

describe('what is to be told', () => {
  /** How a statement of ours would be carried out. */
  async function planOf(statement: string): Promise<string> {
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement}`);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  }
  const bodyOf = async (name: string) => {
    const { rows } = await pool.query<{ body: string }>('SELECT prosrc AS body FROM pg_proc WHERE proname = $1', [
      name,
    ]);
    return rows[0]?.body ?? '';
  };

  it('is found without reading what was relayed', async () => {
    const [taking = ''] = /SELECT e\.event_id FROM events e[^)]*/.exec(await bodyOf('take_events')) ?? [];
    expect(await planOf(taking.replace('v_max', '200'))).toContain('using events_waiting');
  });

  it('is found due without reading what is not', async () => {
    expect(await planOf(webhookStatements.listDueEndpoints.text)).toContain('webhook_deliveries_due_at');
  });

  it('is forgotten from the oldest on, without reading the rest', async () => {
    const [oldest = ''] = /SELECT event_id, relayed_at FROM events[^)]*/.exec(await bodyOf('forget_events')) ?? [];
    const plan = await planOf(oldest.replace('p_batch_max', '500'));
    expect(plan).toContain('using events_pkey');
    expect(plan).toContain('Limit');
  });
});

describe('a backlog', () => {
  /** Blocks of 8 kB: what is there takes thousands, and a batch needs some dozens. */
  const BLOCKS_MAX = 1_000;

  const takes = (id: string) => blocksOf('SELECT * FROM take_deliveries($1, 5, 60)', id);

  async function makeEndpoint(): Promise<string> {
    const id = randomUUID();
    await pool.query(
      `INSERT INTO webhook_endpoints (endpoint_id, url, event_types, secret)
       VALUES ($1, 'https://example.com/', '{queue.admitted}', 'whsec_' || encode(decode(repeat('00', 32), 'hex'), 'base64'))`,
      [id],
    );
    return id;
  }
  /** Deliveries of so many aggregates, four of each, in the order of their events. */
  async function fill(endpoint: string, aggregates: number, state: 'PENDING' | 'FAILED'): Promise<void> {
    await pool.query(
      `WITH told AS (
         INSERT INTO events (type, aggregate_id, happened_at, relayed_at)
         SELECT 'queue.admitted', a.id, clock_timestamp(), clock_timestamp()
         FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, $2::integer)) a, generate_series(1, 4)
         RETURNING event_id, aggregate_id)
       INSERT INTO webhook_deliveries (endpoint_id, event_id, aggregate_id, state, ended_at, due_at)
       SELECT $1, event_id, aggregate_id, $3::delivery_state, CASE $3 WHEN 'FAILED' THEN at_once() END,
         CASE WHEN $3 = 'PENDING' AND event_id = min(event_id) OVER (PARTITION BY aggregate_id) THEN at_once() END
       FROM told`,
      [endpoint, aggregates, state],
    );
    await pool.query('VACUUM ANALYZE events, webhook_deliveries, webhook_endpoints');
  }

  it('that is due is taken from without reading it', async () => {
    const endpoint = await makeEndpoint();
    await fill(endpoint, CROWD / 4, 'PENDING');
    expect(await takes(endpoint)).toBeLessThan(BLOCKS_MAX);
  });

  it('that is sent again is due in its order, and taken from without reading it', async () => {
    const endpoint = await makeEndpoint();
    await fill(endpoint, CROWD / 4, 'FAILED');
    await pool.query('SELECT replay_failed($1, $2, $3)', [endpoint, new Date(0), CROWD]);
    const { rows } = await pool.query<{ due: string }>(
      'SELECT count(due_at) AS due FROM webhook_deliveries WHERE endpoint_id = $1',
      [endpoint],
    );
    expect(Number(rows[0]?.due)).toBe(CROWD / 4);
    expect(await takes(endpoint)).toBeLessThan(BLOCKS_MAX);
  });

  it('of old events is forgotten batch by batch, without reading all there are', async () => {
    await pool.query(
      `INSERT INTO events (type, aggregate_id, happened_at, relayed_at)
       SELECT 'queue.admitted', gen_random_uuid(), at_once(), at_once() FROM generate_series(1, $1::integer)`,
      [4 * CROWD],
    );
    await pool.query('VACUUM ANALYZE events');
    const blocks = await blocksOf('SELECT forget_events(0, 5)');
    expect(blocks).toBeLessThan(await blocksIn('events'));
  });

  it('behind one concert does not make relaying dearer', async () => {
    const endpoint = await makeEndpoint();
    const line = randomUUID();
    const tell = (count: number) =>
      pool.query<{ id: string }>(
        `INSERT INTO events (type, aggregate_id, happened_at) SELECT 'queue.admitted', $1, clock_timestamp()
         FROM generate_series(1, $2::integer) RETURNING event_id AS id`,
        [line, count],
      );
    const settle = async (count: number) => {
      const ids = (await tell(count)).rows.map(({ id }) => id);
      return blocksOf('SELECT settle_events((SELECT term FROM relays), $1)', ids);
    };
    await tell(CROWD);
    await pool.query(
      `INSERT INTO webhook_deliveries (endpoint_id, event_id, aggregate_id, due_at)
       SELECT $1, event_id, $2, CASE WHEN event_id = min(event_id) OVER () THEN at_once() END
       FROM events WHERE aggregate_id = $2`,
      [endpoint, line],
    );
    await pool.query('UPDATE events SET relayed_at = at_once() WHERE aggregate_id = $1', [line]);
    await pool.query('VACUUM ANALYZE events, webhook_deliveries, webhook_endpoints');
    expect(await settle(1)).toBeLessThan(BLOCKS_MAX);
  });
});

describe('a line', () => {
  const HALLS = 20;

  it('is opened without reading the reservations of other concerts', async () => {
    for (let hall = 0; hall < HALLS; hall++) await reserveEach(await openHall(pool, { seats: (4 * CROWD) / HALLS }));
    const small = await openHall(pool);
    await reserveEach(small);
    await pool.query('VACUUM ANALYZE seats, reservations');
    const blocks = await blocksOf('SELECT open_line($1, $2)', small, 'AAAAAAAA');
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

it('the seats left are counted without reading those that are gone', async () => {
  const counting = concertStatements.seatsLeft.text.replace('$1', `'${concert}'`);
  const plan = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${counting}`);
  expect(plan.rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('using seats_available');
});
