import { Client } from 'pg';

/** How much there is: as many seats as dates times seats of each, and a reservation for every other seat. */
export type Size = {
  readonly concerts: number;
  readonly datesEach: number;
  readonly seatsEach: number;
  readonly users: number;
};

/** Halls of arenas: 10 million seats, 5 million reservations. */
export const VAST: Size = { concerts: 200, datesEach: 10, seatsEach: 5_000, users: 1_000_000 };

/** Who and what the books are filled with, by number from 1. */
export const userIdOf = (number: string) => `md5('user ' || ${number})::uuid`;
export const endpointIdOf = (number: string) => `md5('endpoint ' || ${number})::uuid`;
export const concertIdOf = (number: string) => `md5('concert ' || ${number})::uuid`;
/** Like the ids that we make: they begin with the time. */
const idOf = (kind: number, number: string) =>
  `(lpad(to_hex(1700000000000 + ${number}), 12, '0') || '700${kind}8' || lpad(to_hex(${number}), 15, '0'))::uuid`;
export const reservationIdOf = (number: string) => idOf(0, number);
export const paymentIdOf = (number: string) => idOf(1, number);

const PRICE = 10_000;
/** Of the first concert, whose hall has a plan: one section of such rows. */
const ROW_SEATS = 20;
/** Of so many of the latest reservations some are still to be told of. */
const LATEST = 50_000;

/**
 * Fills the books as a few years of sales do: of a hundred reservations 80 are paid, 5 were refunded, 13 ran out, and 2 are
 * held, half of those past their deadline. As the owner of the server, past the triggers: the books are right as they are.
 */
export async function fillBooks(databaseUrl: string, size: Size, say: (line: string) => void): Promise<void> {
  const { concerts, datesEach, seatsEach, users } = size;
  const seatsPerConcert = datesEach * seatsEach;
  const reservations = (concerts * seatsPerConcert) / 2;
  /** Which of them, of those that are told of at all. */
  const isLate = `n > ${reservations - LATEST} AND n % 100 = 5`;
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `SET session_replication_role = replica; SET maintenance_work_mem = '1GB'; SET synchronous_commit = off`,
    );
    const steps: Readonly<Record<string, string>> = {
      users: `
        INSERT INTO users (user_id) SELECT ${userIdOf('n')} FROM generate_series(1, ${users}) n`,
      concerts: `
        INSERT INTO concerts (concert_id, title, venue, currency, sales_open_at)
        SELECT ${concertIdOf('n')}, 'A concert', 'An arena', 'KRW', '2020-01-01' FROM generate_series(1, ${concerts}) n`,
      'concert dates': `
        INSERT INTO concert_dates (concert_id, date, starts_at)
        SELECT ${concertIdOf('c')}, day, day + time '19:00'
        FROM generate_series(1, ${concerts}) c CROSS JOIN generate_series(1, ${datesEach}) d
          CROSS JOIN LATERAL (SELECT current_date + d - ${datesEach} / 2 AS day) AS days`,
      lines: `
        INSERT INTO queues (concert_id, epoch, drawn, head)
        SELECT ${concertIdOf('n')}, 'AAAAAAAA', n * ${seatsPerConcert / 2}, n * ${seatsPerConcert / 2} + 1 FROM generate_series(1, ${concerts}) n`,
      // Every other seat has been reserved; its number among all of them is the reservation's. What a user has reserved has come
      // to different ends.
      reservations: `
        CREATE TABLE filling AS
        SELECT n, ${reservationIdOf('n')} AS reservation_id, ${userIdOf(`((n + n / ${users} * 20) * 7919 % ${users} + 1)`)} AS user_id,
          ${concertIdOf(`((n - 1) / ${seatsPerConcert / 2} + 1)`)} AS concert_id,
          current_date + ((n - 1) % ${seatsPerConcert / 2} / ${seatsEach / 2} + 1)::integer - ${datesEach} / 2 AS date,
          (2 * ((n - 1) % ${seatsEach / 2}) + 1)::integer AS seat_number,
          (CASE WHEN n % 100 < 80 THEN 'CONFIRMED' WHEN n % 100 < 85 THEN 'CANCELLED' WHEN n % 100 < 98 THEN 'EXPIRED'
            ELSE 'HELD' END)::reservation_status AS status,
          ${paymentIdOf('n')} AS payment_id,
          clock_timestamp() + CASE n % 100 WHEN 98 THEN interval '1 hour' WHEN 99 THEN interval '-1 minute' ELSE interval '-1 year' END
            AS held_until
        FROM generate_series(1::bigint, ${reservations}) n;
        INSERT INTO reservations (reservation_id, user_id, concert_id, date, status, amount, currency, held_until,
          held_for_seconds, created_at, ended_at, sequence, epoch)
        SELECT reservation_id, user_id, concert_id, date, status, ${PRICE}, 'KRW', held_until, 300,
          held_until - interval '5 minutes', CASE WHEN status <> 'HELD' THEN held_until END, n, 'AAAAAAAA' FROM filling`,
      'reservation seats': `
        INSERT INTO reservation_seats (reservation_id, concert_id, date, seat_number, fence, price, status)
        SELECT reservation_id, concert_id, date, seat_number, 1, ${PRICE}, status FROM filling`,
      buyers: `
        INSERT INTO buyers (concert_id, date, user_id) SELECT concert_id, date, user_id FROM filling ON CONFLICT DO NOTHING`,
      payments: `
        INSERT INTO payments (payment_id, reservation_id, user_id, amount, currency, balance, paid_at)
        SELECT payment_id, reservation_id, user_id, ${PRICE}, 'KRW', 0, held_until FROM filling
        WHERE status IN ('CONFIRMED', 'CANCELLED')`,
      refunds: `
        INSERT INTO refunds (refund_id, payment_id, balance, refunded_at)
        SELECT ${idOf(2, 'n')}, payment_id, 0, held_until FROM filling WHERE status = 'CANCELLED'`,
      'ledger transactions': `
        INSERT INTO ledger_transactions (transaction_id, kind, recorded_at)
        SELECT payment_id, 'PURCHASE'::ledger_kind, paid_at FROM payments
        UNION ALL SELECT refund_id, 'REFUND', refunded_at FROM refunds
        UNION ALL SELECT user_id, 'CHARGE', clock_timestamp() FROM users`,
      'ledger entries': `
        INSERT INTO ledger_entries (transaction_id, account, user_id, amount, balance_after)
        SELECT transaction_id, account, CASE account WHEN 'WALLET' THEN user_id END, sign * amount,
          CASE account WHEN 'WALLET' THEN balance END
        FROM (
          SELECT *, sum(amount) OVER (PARTITION BY user_id ORDER BY step, transaction_id ROWS UNBOUNDED PRECEDING) AS balance
          FROM (
            SELECT 1 AS step, user_id AS transaction_id, user_id, 1000 * ${PRICE} AS amount, 'TOP_UPS'::ledger_account AS other
            FROM users
            UNION ALL SELECT 2, payment_id, user_id, -amount, 'SALES' FROM payments
            UNION ALL SELECT 3, refund_id, user_id, amount, 'SALES' FROM refunds JOIN payments USING (payment_id)) AS moved) AS told
          CROSS JOIN LATERAL (VALUES ('WALLET'::ledger_account, 1), (other, -1)) AS sides (account, sign)
        ORDER BY step, transaction_id`,
      wallets: `
        INSERT INTO wallets (user_id, currency, balance)
        SELECT user_id, 'KRW', sum(amount) FROM ledger_entries WHERE account = 'WALLET' GROUP BY user_id`,
      seats: `
        INSERT INTO seats (concert_id, date, seat_number, price, status, held_until, reservation_id, payment_id, fence,
          section, row_label, row_rank, row_first, row_last, place, off_centre, grade)
        SELECT d.concert_id, d.date, s, ${PRICE},
          (CASE f.status WHEN 'CONFIRMED' THEN 'SOLD' WHEN 'HELD' THEN 'HELD' ELSE 'AVAILABLE' END)::seat_status,
          CASE f.status WHEN 'HELD' THEN f.held_until END,
          CASE WHEN f.status IN ('HELD', 'CONFIRMED') THEN f.reservation_id END,
          CASE f.status WHEN 'CONFIRMED' THEN f.payment_id END, CASE WHEN f.n IS NULL THEN 0 ELSE 1 END,
          CASE WHEN planned THEN 'A' END, CASE WHEN planned THEN row::text END, CASE WHEN planned THEN row END,
          CASE WHEN planned THEN (row - 1) * ${ROW_SEATS} + 1 END, CASE WHEN planned THEN row * ${ROW_SEATS} END,
          CASE WHEN planned THEN place END, CASE WHEN planned THEN 2 * place - ${ROW_SEATS} - 1 END, CASE WHEN planned THEN 'R' END
        FROM concert_dates d CROSS JOIN generate_series(1, ${seatsEach}) s
          CROSS JOIN LATERAL (SELECT d.concert_id = ${concertIdOf('1')} AS planned, (s - 1) / ${ROW_SEATS} + 1 AS row,
            (s - 1) % ${ROW_SEATS} + 1 AS place) AS at
          LEFT JOIN filling f ON (f.concert_id, f.date, f.seat_number) = (d.concert_id, d.date, s)`,
      // Of each seat in the order in which it happened: each row of reservations gives all of its own at once.
      'the history of the seats': `
        INSERT INTO seat_history (concert_id, date, seat_number, change, fence, reservation_id, payment_id, price, changed_at)
        SELECT concert_id, date, seat_number, change, 1, reservation_id,
          CASE WHEN change IN ('sold', 'refunded') THEN payment_id END, ${PRICE}, held_until
        FROM filling CROSS JOIN LATERAL unnest(CASE status
          WHEN 'CONFIRMED' THEN ARRAY['held', 'sold'] WHEN 'CANCELLED' THEN ARRAY['held', 'sold', 'refunded']
          WHEN 'EXPIRED' THEN ARRAY['held', 'expired'] ELSE ARRAY['held'] END) AS change`,
      // Those of a month: older ones are forgotten. Some wait.
      events: `
        INSERT INTO events (type, aggregate_id, aggregate_sequence, happened_at, relayed_at)
        SELECT type, reservation_id, place, clock_timestamp(), CASE WHEN n % 1000 > 0 THEN clock_timestamp() END
        FROM filling CROSS JOIN LATERAL unnest(CASE WHEN ${isLate} THEN ARRAY['reservation.held', 'payment.captured']
          ELSE ARRAY['reservation.held'] END) WITH ORDINALITY AS told (type, place)
        WHERE n % 5 = 0 ORDER BY n, place`,
      // An endpoint is behind: half of what waits is due, half will be tried again later.
      'webhook deliveries': `
        ANALYZE filling; ANALYZE events;
        INSERT INTO webhook_endpoints (endpoint_id, url, event_types, secret)
        SELECT ${endpointIdOf('n')}, 'https://example.com/hook', '{}', 'whsec_' || repeat('A', 32) FROM generate_series(1, 3) n;
        INSERT INTO webhook_deliveries (endpoint_id, event_id, state, attempts, tries, due_at, ended_at)
        SELECT endpoint_id, event_id, (CASE WHEN ${isLate} THEN 'PENDING' ELSE 'DELIVERED' END)::delivery_state,
          tried, tried, CASE WHEN ${isLate} THEN clock_timestamp() + n / 100 % 2 * interval '1 hour' END,
          CASE WHEN NOT (${isLate}) THEN clock_timestamp() END
        FROM events JOIN filling ON reservation_id = aggregate_id CROSS JOIN webhook_endpoints
          CROSS JOIN LATERAL (SELECT CASE WHEN type = 'reservation.held' THEN 1 ELSE 0 END AS tried) AS tries
        WHERE relayed_at IS NOT NULL ORDER BY event_id, endpoint_id`,
      'attempts at deliveries': `
        INSERT INTO webhook_attempts (delivery_id, attempt, duration_ms, status)
        SELECT delivery_id, 1, 20, CASE state WHEN 'DELIVERED' THEN 200 ELSE 503 END FROM webhook_deliveries WHERE attempts > 0`,
      'the record of the line': `
        INSERT INTO queue_events (concert_id, logged_ms, logged_counter, logged_index, kind, sequence, admission_order, joined_at, happened_at)
        SELECT concert_id, 1700000000000 + n, 0, 0, 'admitted', n, n, clock_timestamp(), clock_timestamp() FROM filling`,
      'idempotency keys': `
        INSERT INTO idempotency_keys (user_id, key, fingerprint, answer, answered_at)
        SELECT user_id, 'key ' || n, 'fingerprint', '{}', clock_timestamp() - n * 20 % 90000 * interval '1 second'
        FROM filling WHERE n % 5 = 0`,
      outbox: `
        INSERT INTO outbox_messages (reservation_id, due_at)
        SELECT reservation_id, clock_timestamp() + n % 100 * interval '1 second' - interval '50 seconds' FROM filling
        ORDER BY n DESC LIMIT 10000;
        DROP TABLE filling`,
    };
    for (const [what, step] of Object.entries(steps)) {
      await client.query(step);
      say(`Filled: ${what}.`);
    }
    await client.query('VACUUM ANALYZE');
  } finally {
    await client.end();
  }
}
