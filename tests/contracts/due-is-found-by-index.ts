import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { concertStatements } from '#adapters/postgres/catalog/concert-statements.ts';
import { functionSchema } from '#adapters/postgres/client/function-set.ts';
import { webhookStatements } from '#adapters/postgres/events/webhook-statements.ts';
import type { ConcertId } from '#domain/ids.ts';
import { DATE, makeUsers, openHall } from '#tests/support/hall.ts';
import { definitionOf } from '#tests/support/replaced.ts';

/**
 * Jobs find what is due without reading the rest.
 *
 * @param crowd how many rows are not due: enough for reading all of them to be the dearer way
 */
export function dueIsFoundByIndex(pool: Pool, crowd: number): void {
  let concert: ConcertId;

  /** Nothing of it is due. */
  beforeAll(async () => {
    concert = await openHall(pool, { seats: crowd });
    const [user] = await makeUsers(pool, 1);
    const reservation = randomUUID();
    const later = "clock_timestamp() + interval '1 hour' + n * interval '1 ms'";
    await pool.query(
      `INSERT INTO idempotency_keys (user_id, key, fingerprint, answer, answered_at)
       SELECT $1, n, 'asked', '{}', ${later} FROM generate_series(1, $2::integer) n`,
      [user, crowd],
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
      `INSERT INTO outbox_messages (reservation_id, due_at) SELECT $1, ${later} FROM generate_series(1, $2::integer) n`,
      [reservation, crowd],
    );
    const endpoint = randomUUID();
    await pool.query(
      `INSERT INTO webhook_endpoints (endpoint_id, url, event_types, secret)
       VALUES ($1, 'https://example.com/', '{}', 'whsec_' || encode(decode(repeat('00', 32), 'hex'), 'base64'))`,
      [endpoint],
    );
    await pool.query(
      `WITH told AS (
         INSERT INTO events (type, aggregate_id, aggregate_sequence, happened_at, relayed_at)
         SELECT 'queue.admitted', gen_random_uuid(), 1, clock_timestamp(), clock_timestamp() FROM generate_series(1, $2::integer)
         RETURNING event_id)
       INSERT INTO webhook_deliveries (endpoint_id, event_id, due_at)
       SELECT $1, event_id, clock_timestamp() + interval '1 hour' FROM told`,
      [endpoint, crowd],
    );
    await pool.query(
      'VACUUM ANALYZE idempotency_keys, seats, outbox_messages, events, webhook_deliveries, webhook_endpoints',
    );
  });

  describe('a due row', () => {
    it.each([
      ['forget_answers', 'answered_at <'],
      ['expire_holds', 'held_until <='],
      ['take_outbox_messages', 'due_at <='],
    ])('is found by an index, however many rows are not due: %s', async (name, condition) => {
      // The statement itself, as the function has it.
      const [statement = ''] =
        /SELECT (?:(?!SELECT)[^;])*FOR UPDATE SKIP LOCKED/.exec(await definitionOf(pool, name)) ?? [];
      const asked = statement.replace('p_batch_max', '500').replace('p_hours', '24');
      const plan = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${asked}`);
      expect(plan.rows.map((row) => row['QUERY PLAN']).join('\n')).toContain(`Index Cond: (${condition}`);
    });
  });

  describe('an unrelayed message', () => {
    /** How a statement of ours would be carried out. */
    async function planOf(statement: string): Promise<string> {
      const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement}`);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    }

    it('is found without reading relayed ones', async () => {
      const [taking = ''] = /SELECT e\.event_id FROM events e[^)]*/.exec(await definitionOf(pool, 'take_events')) ?? [];
      expect(await planOf(taking.replace('v_max', '200'))).toContain('using events_waiting');
    });

    it('is found due without reading those that are not', async () => {
      expect(await planOf(webhookStatements.listDueEndpoints.text)).toContain('webhook_deliveries_due_at');
    });

    it('is deleted from the oldest on, without reading the rest', async () => {
      const [oldest = ''] =
        /SELECT event_id, relayed_at FROM events[^)]*/.exec(await definitionOf(pool, 'forget_events')) ?? [];
      const plan = await planOf(oldest.replace('p_batch_max', '500'));
      expect(plan).toContain('using events_pkey');
      expect(plan).toContain('Limit');
    });
  });

  it('the first row with free seats is found without reading the rows behind it', async () => {
    const values = {
      p_concert_id: `'${concert}'`,
      p_date: `'${DATE}'`,
      p_section: 'NULL',
      p_grade: 'NULL',
      p_quantity: '2',
    };
    const [found = ''] = /SELECT row_rank INTO v_rank FROM[^;]+/.exec(await definitionOf(pool, 'best_block')) ?? [];
    const statement = Object.entries({ ...values, v_now: 'now()', v_rank: '3' }).reduce(
      (text, [name, value]) => text.replaceAll(name, value),
      found.replace(' INTO v_rank', ''),
    );
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN ${statement.replace('free_seats(', `${functionSchema}.free_seats(`)}`,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('Merge Append');
    expect(plan).toContain('Index Scan using seats_available');
  });

  it('the seats left are counted without reading the others', async () => {
    const counting = concertStatements.seatsLeft.text.replace('$1', `'${concert}'`);
    const plan = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${counting}`);
    expect(plan.rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('using seats_available');
  });
}
