import type { Pool } from 'pg';

/**
 * Everything in the books of a database that contradicts something else in them: none, whatever has happened. Asks the
 * tables alone and trusts no constraint, so that it also finds what happens when a guard is taken away.
 */
export async function contradictions(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ found: string }>(CONTRADICTIONS);
  return rows.map(({ found }) => found);
}

const CONTRADICTIONS = `
  SELECT format('seat %s has %s live reservations', seat_number, count(*)) AS found
  FROM reservation_seats WHERE status IN ('HELD', 'CONFIRMED')
  GROUP BY concert_id, date, seat_number HAVING count(*) > 1
UNION ALL
  SELECT format('seat %s was paid %s times', seat_number, count(*))
  FROM payments JOIN reservation_seats USING (reservation_id)
  GROUP BY reservation_seats.concert_id, date, seat_number HAVING count(*) > 1
UNION ALL
  SELECT format('reservation %s was paid %s times', reservation_id, count(*))
  FROM payments GROUP BY reservation_id HAVING count(*) > 1
UNION ALL
  SELECT format('seat %s is sold, but not to who paid for it', seat_number)
  FROM seats s WHERE status = 'SOLD' AND NOT EXISTS (
    SELECT FROM payments p JOIN reservations r USING (reservation_id)
      JOIN reservation_seats rs USING (reservation_id)
    WHERE p.payment_id = s.payment_id AND r.reservation_id = s.reservation_id AND r.status = 'CONFIRMED'
      AND (rs.concert_id, rs.date, rs.seat_number, rs.fence) = (s.concert_id, s.date, s.seat_number, s.fence))
UNION ALL
  SELECT format('reservation %s is paid, but seat %s is not its own', r.reservation_id, rs.seat_number)
  FROM reservations r JOIN reservation_seats rs USING (reservation_id) JOIN seats s USING (seat_number)
  WHERE r.status = 'CONFIRMED' AND (s.concert_id, s.date) = (rs.concert_id, rs.date)
    AND (s.status, s.reservation_id) IS DISTINCT FROM ('SOLD'::seat_status, r.reservation_id)
UNION ALL
  SELECT format('reservation %s holds seat %s no more', r.reservation_id, rs.seat_number)
  FROM reservations r JOIN reservation_seats rs USING (reservation_id) JOIN seats s USING (seat_number)
  WHERE r.status = 'HELD' AND r.held_until > clock_timestamp() AND (s.concert_id, s.date) = (rs.concert_id, rs.date)
    AND (s.status, s.reservation_id) IS DISTINCT FROM ('HELD'::seat_status, r.reservation_id)
UNION ALL
  SELECT format('reservation %s is %s, with%s payment', reservation_id, r.status, CASE WHEN p IS NULL THEN 'out' ELSE '' END)
  FROM reservations r LEFT JOIN payments p USING (reservation_id) WHERE (r.status = 'CONFIRMED') = (p IS NULL)
UNION ALL
  SELECT format('seat %s is held by a reservation that is %s', s.seat_number, r.status)
  FROM seats s JOIN reservations r USING (reservation_id)
  WHERE s.status = 'HELD' AND s.held_until > clock_timestamp() AND r.status <> 'HELD'
UNION ALL
  SELECT format('payment %s took %s from the balance, for seats worth %s', payment_id, -l.amount, worth)
  FROM payments p
    JOIN LATERAL (SELECT sum(price) AS worth FROM reservation_seats WHERE reservation_id = p.reservation_id) w ON true
    LEFT JOIN ledger_entries l ON l.transaction_id = p.payment_id AND l.user_id = p.user_id
  WHERE (-l.amount, p.amount) IS DISTINCT FROM (worth, worth)
UNION ALL
  SELECT format('purchase %s is in the ledger without a payment', transaction_id)
  FROM ledger_transactions WHERE kind = 'PURCHASE' AND transaction_id NOT IN (SELECT payment_id FROM payments)
UNION ALL
  SELECT format('transaction %s sums to %s', transaction_id, sum(amount))
  FROM ledger_entries GROUP BY transaction_id HAVING sum(amount) <> 0
UNION ALL
  SELECT format('wallet %s has %s, its entries sum to %s', user_id, balance, coalesce(sum(amount), 0))
  FROM wallets LEFT JOIN ledger_entries USING (user_id)
  GROUP BY user_id, balance HAVING balance < 0 OR balance <> coalesce(sum(amount), 0)`;

/** What a user has, as the books say. */
export async function holdings(
  pool: Pool,
  userId: string,
): Promise<{ balance: number; payments: number; seats: number }> {
  const { rows } = await pool.query<{ balance: number; payments: number; seats: number }>(
    `SELECT (SELECT balance::integer FROM wallets WHERE user_id = $1) AS balance,
       (SELECT count(*)::integer FROM payments WHERE user_id = $1) AS payments,
       (SELECT count(*)::integer FROM seats JOIN reservations USING (reservation_id)
        WHERE user_id = $1 AND seats.status = 'SOLD') AS seats`,
    [userId],
  );
  const [row] = rows;
  if (row === undefined) throw new RangeError(`no user ${userId}`);
  return row;
}
