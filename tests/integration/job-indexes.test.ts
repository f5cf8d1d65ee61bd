import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statements } from '#adapters/postgres/statements.ts';
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
    `UPDATE seats SET status = 'HELD', reservation_id = $1,
       held_until = clock_timestamp() + interval '1 hour' + seat_number * interval '1 ms' WHERE concert_id = $2`,
    [reservation, concert],
  );
  await pool.query(
    `INSERT INTO outbox (reservation_id, due_at) SELECT $1, ${later} FROM generate_series(1, $2::integer) n`,
    [reservation, CROWD],
  );
  await pool.query('VACUUM ANALYZE idempotency_keys, seats, outbox');
});

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

it('the seats left are counted without reading those that are gone', async () => {
  const counting = statements.seatsLeft.text.replace('$1', `'${concert}'`);
  const plan = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${counting}`);
  expect(plan.rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('using seats_available');
});
