/** A condition that must hold for the tables. */
export type Invariant = {
  readonly name: string;
  /** Selects the contradictions, as text in `found`. Reads tables alone and trusts no constraint. */
  readonly violations: string;
};

/** Longer than any relay or the pause before its retry. */
export const OUTBOX_AGE_MAX_SECONDS = 60;
/** Longer than any relay of events or the pause before its retry. */
export const EVENT_AGE_MAX_SECONDS = 60;

/** The holders of seats, and the money. */
export const books: readonly Invariant[] = [
  {
    name: 'a seat has at most one live reservation',
    violations: `
      SELECT format('seat %s of %s has %s live reservations', seat_number, concert_id, count(*)) AS found
      FROM reservation_seats WHERE status IN ('HELD', 'CONFIRMED')
      GROUP BY concert_id, date, seat_number HAVING count(*) > 1`,
  },
  {
    name: 'a seat is paid for once, unless it was refunded',
    violations: `
      SELECT format('seat %s of %s was paid %s times', seat_number, rs.concert_id, count(*)) AS found
      FROM payments p JOIN reservation_seats rs USING (reservation_id)
      WHERE NOT EXISTS (SELECT FROM refunds f WHERE f.payment_id = p.payment_id)
      GROUP BY rs.concert_id, date, seat_number HAVING count(*) > 1`,
  },
  {
    name: 'a reservation is paid once',
    violations: `
      SELECT format('reservation %s was paid %s times', reservation_id, count(*)) AS found
      FROM payments GROUP BY reservation_id HAVING count(*) > 1`,
  },
  {
    name: 'a payment is refunded once',
    violations: `
      SELECT format('payment %s was refunded %s times', payment_id, count(*)) AS found
      FROM refunds GROUP BY payment_id HAVING count(*) > 1`,
  },
  {
    name: 'a sold seat is live and paid',
    violations: `
      SELECT format('seat %s of %s is sold, but not to who paid for it', seat_number, concert_id) AS found
      FROM seats s WHERE status = 'SOLD' AND NOT EXISTS (
        SELECT FROM payments p JOIN reservations r USING (reservation_id)
          JOIN reservation_seats rs USING (reservation_id)
        WHERE p.payment_id = s.payment_id AND r.reservation_id = s.reservation_id AND r.status = 'CONFIRMED'
          AND (rs.concert_id, rs.date, rs.seat_number, rs.fence) = (s.concert_id, s.date, s.seat_number, s.fence))`,
  },
  {
    name: 'a paid reservation has its seats',
    violations: `
      SELECT format('reservation %s is paid, but seat %s is not its own', r.reservation_id, rs.seat_number) AS found
      FROM reservations r JOIN reservation_seats rs USING (reservation_id)
        JOIN seats s ON (s.concert_id, s.date, s.seat_number) = (rs.concert_id, rs.date, rs.seat_number)
      WHERE r.status = 'CONFIRMED'
        AND (s.status, s.reservation_id) IS DISTINCT FROM ('SOLD'::seat_status, r.reservation_id)`,
  },
  {
    name: 'a hold has its seats until its deadline',
    violations: `
      SELECT format('reservation %s holds seat %s no more', r.reservation_id, rs.seat_number) AS found
      FROM reservations r JOIN reservation_seats rs USING (reservation_id)
        JOIN seats s ON (s.concert_id, s.date, s.seat_number) = (rs.concert_id, rs.date, rs.seat_number)
      WHERE r.status = 'HELD' AND r.held_until > clock_timestamp()
        AND (s.status, s.reservation_id, s.held_until)
          IS DISTINCT FROM ('HELD'::seat_status, r.reservation_id, r.held_until)`,
  },
  {
    name: 'a held seat has a hold',
    violations: `
      SELECT format('seat %s of %s is held by a reservation that is %s', s.seat_number, s.concert_id, r.status) AS found
      FROM seats s JOIN reservations r USING (reservation_id)
      WHERE s.status = 'HELD' AND s.held_until > clock_timestamp() AND r.status <> 'HELD'`,
  },
  {
    name: 'each seat on record has the status of its reservation',
    violations: `
      SELECT format('seat %s of reservation %s is %s on record, the reservation is %s', rs.seat_number, r.reservation_id,
        rs.status, r.status) AS found
      FROM reservation_seats rs JOIN reservations r USING (reservation_id) WHERE rs.status <> r.status`,
  },
  {
    name: 'each hold of a seat is on record',
    violations: `
      SELECT format('seat %s of %s was taken %s times, of which %s are on record', s.seat_number, s.concert_id, s.fence,
        count(DISTINCT rs.fence)) AS found
      FROM seats s LEFT JOIN reservation_seats rs USING (concert_id, date, seat_number)
      GROUP BY s.concert_id, s.date, s.seat_number
      HAVING s.fence <> count(rs.fence) OR s.fence <> count(DISTINCT rs.fence)`,
  },
  {
    name: 'the history of a seat ends with its present state',
    violations: `
      SELECT format('seat %s of %s is %s, its history ends with %s', s.seat_number, s.concert_id, s.status,
        coalesce(last.change, 'its making')) AS found
      FROM seats s LEFT JOIN LATERAL (
        SELECT change, reservation_id, payment_id FROM seat_history h
        WHERE (h.concert_id, h.date, h.seat_number) = (s.concert_id, s.date, s.seat_number)
        ORDER BY change_id DESC LIMIT 1) AS last ON true
      WHERE CASE s.status
        WHEN 'AVAILABLE' THEN coalesce(last.change, 'created') IN ('created', 'released', 'expired', 'refunded', 'unblocked')
        WHEN 'BLOCKED' THEN last.change = 'blocked'
        ELSE last.change = CASE s.status WHEN 'HELD' THEN 'held' ELSE 'sold' END
          AND (last.reservation_id, last.payment_id) IS NOT DISTINCT FROM (s.reservation_id, s.payment_id)
        END IS NOT TRUE`,
  },
  {
    name: 'a reservation is CONFIRMED while it is paid, and CANCELLED once it is refunded',
    violations: `
      SELECT format('reservation %s is %s, with%s payment%s', reservation_id, r.status,
        CASE WHEN p.payment_id IS NULL THEN 'out' ELSE '' END,
        CASE WHEN f.payment_id IS NULL THEN '' ELSE ' that was refunded' END) AS found
      FROM reservations r LEFT JOIN payments p USING (reservation_id) LEFT JOIN refunds f USING (payment_id)
      WHERE (r.status = 'CONFIRMED') <> (p.payment_id IS NOT NULL AND f.payment_id IS NULL)
        OR (f.payment_id IS NOT NULL AND r.status <> 'CANCELLED')`,
  },
  {
    name: 'a payment equals the price of its seats, and the debit of the wallet',
    violations: `
      SELECT format('payment %s took %s from the balance, for seats worth %s', payment_id, -l.amount, worth) AS found
      FROM payments p
        LEFT JOIN (SELECT reservation_id, sum(price) AS worth FROM reservation_seats GROUP BY reservation_id) AS own
          USING (reservation_id)
        LEFT JOIN ledger_entries l ON l.transaction_id = p.payment_id AND l.user_id = p.user_id
      WHERE (-l.amount, p.amount) IS DISTINCT FROM (worth, worth)`,
  },
  {
    name: 'a payment comes from the wallet of the user who reserved',
    violations: `
      SELECT format('payment %s is from %s, reservation %s is of %s', payment_id, p.user_id, reservation_id,
        coalesce(r.user_id::text, 'nobody')) AS found
      FROM payments p LEFT JOIN reservations r USING (reservation_id) WHERE p.user_id IS DISTINCT FROM r.user_id`,
  },
  {
    name: 'a refund equals its payment, and the credit of the wallet',
    violations: `
      SELECT format('refund %s gave %s, the payment was %s', refund_id, l.amount, p.amount) AS found
      FROM refunds f JOIN payments p USING (payment_id)
        LEFT JOIN ledger_entries l ON l.transaction_id = f.refund_id AND l.user_id = p.user_id
      WHERE l.amount IS DISTINCT FROM p.amount
      UNION ALL
      SELECT format('refund %s is of no payment', refund_id) FROM refunds f
      WHERE NOT EXISTS (SELECT FROM payments WHERE payment_id = f.payment_id)`,
  },
  {
    name: 'every purchase in the ledger is a payment, and every refund a refund',
    violations: `
      SELECT format('%s %s is in the ledger without a %s', lower(kind::text), transaction_id,
        CASE kind WHEN 'PURCHASE' THEN 'payment' ELSE 'refund' END) AS found
      FROM ledger_transactions t
      WHERE kind = 'PURCHASE' AND NOT EXISTS (SELECT FROM payments WHERE payment_id = t.transaction_id)
        OR kind = 'REFUND' AND NOT EXISTS (SELECT FROM refunds WHERE refund_id = t.transaction_id)
      UNION ALL
      SELECT format('%s %s is a %s in the ledger', what, transaction_id, coalesce(lower(t.kind::text), 'nothing'))
      FROM (SELECT payment_id, 'payment', 'PURCHASE'::ledger_kind FROM payments
            UNION ALL SELECT refund_id, 'refund', 'REFUND' FROM refunds) AS done (transaction_id, what, kind)
        LEFT JOIN ledger_transactions t USING (transaction_id)
      WHERE t.kind IS DISTINCT FROM done.kind`,
  },
  {
    name: 'a transaction sums to zero',
    violations: `
      SELECT format('transaction %s sums to %s', transaction_id, coalesce(sum(amount)::text, 'nothing')) AS found
      FROM ledger_transactions LEFT JOIN ledger_entries USING (transaction_id)
      GROUP BY transaction_id HAVING sum(amount) IS DISTINCT FROM 0`,
  },
  {
    name: 'an entry belongs to a transaction, and a wallet entry to a wallet',
    violations: `
      SELECT format('entry %s is of no %s', entry_id,
        CASE WHEN t.transaction_id IS NULL THEN 'transaction' ELSE 'wallet' END) AS found
      FROM ledger_entries e LEFT JOIN ledger_transactions t USING (transaction_id) LEFT JOIN wallets w ON w.user_id = e.user_id
      WHERE t.transaction_id IS NULL OR (account = 'WALLET' OR e.user_id IS NOT NULL) <> (w.user_id IS NOT NULL)`,
  },
  {
    name: 'a balance is the sum of its entries, and not negative',
    violations: `
      SELECT format('wallet %s has %s, its entries sum to %s', user_id, balance, coalesce(sum(amount), 0)) AS found
      FROM wallets LEFT JOIN ledger_entries USING (user_id)
      GROUP BY user_id, balance HAVING balance < 0 OR balance <> coalesce(sum(amount), 0)`,
  },
  {
    name: 'an entry has the balance after it',
    violations: `
      SELECT format('entry %s of wallet %s says %s, the entries up to it sum to %s', entry_id, user_id,
        coalesce(balance_after::text, 'nothing'), balance) AS found
      FROM (
        SELECT entry_id, user_id, balance_after,
          sum(amount) OVER (PARTITION BY user_id ORDER BY entry_id ROWS UNBOUNDED PRECEDING) AS balance
        FROM ledger_entries WHERE user_id IS NOT NULL) AS told
      WHERE balance_after IS DISTINCT FROM balance`,
  },
];

/** Redis is brought up to date. */
export const outbox: Invariant = {
  name: `nothing waits in the outbox for longer than ${OUTBOX_AGE_MAX_SECONDS} s`,
  violations: `
    SELECT format('outbox message %s, of reservation %s, waits since %s', message_id, reservation_id, created_at) AS found
    FROM outbox_messages WHERE created_at < clock_timestamp() - interval '${OUTBOX_AGE_MAX_SECONDS} seconds'`,
};

/** Receivers order events by their numbers, and notice a missing one. Old events were deleted, the smallest numbers first. */
export const eventNumbers: Invariant = {
  name: 'the events of an aggregate are numbered without gaps',
  violations: `
    SELECT format('event %s is number %s of %s, after number %s', event_id, aggregate_sequence, aggregate_id, before) AS found
    FROM (SELECT event_id, aggregate_id, aggregate_sequence,
        lag(aggregate_sequence) OVER (PARTITION BY aggregate_id ORDER BY event_id) AS before
      FROM events) AS numbered
    WHERE aggregate_sequence <> before + 1`,
};

/** Other services get the events. */
export const events: Invariant = {
  name: `no event waits to be relayed for longer than ${EVENT_AGE_MAX_SECONDS} s`,
  violations: `
    SELECT format('event %s, %s of %s, waits since %s', event_id, type, aggregate_id, written_at) AS found
    FROM events
    WHERE relayed_at IS NULL AND written_at < clock_timestamp() - interval '${EVENT_AGE_MAX_SECONDS} seconds'`,
};
