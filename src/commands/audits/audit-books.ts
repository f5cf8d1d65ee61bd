import type { ClientBase, Pool } from 'pg';
import type { Invariant } from './invariants.ts';

/** Contradictions of an invariant: their count, and the first ones. */
export type Violation = { readonly invariant: string; readonly count: number; readonly first: readonly string[] };

/** The rows checked. */
export type BooksCounts = Readonly<
  Record<
    | 'seatsSold'
    | 'seatsHeld'
    | 'reservations'
    | 'payments'
    | 'refunds'
    | 'transactions'
    | 'wallets'
    | 'outbox'
    | 'eventsWaiting',
    number
  >
>;

export type BooksAudit = { readonly counts: BooksCounts; readonly violations: readonly Violation[] };

/** Limits the contradictions shown. */
export const VIOLATIONS_SHOWN_MAX = 100;

const COUNTS = `
  SELECT (SELECT count(*) FROM seats WHERE status = 'SOLD')::float8 AS "seatsSold",
    (SELECT count(*) FROM seats WHERE status = 'HELD')::float8 AS "seatsHeld",
    (SELECT count(*) FROM reservations)::float8 AS reservations,
    (SELECT count(*) FROM payments)::float8 AS payments,
    (SELECT count(*) FROM refunds)::float8 AS refunds,
    (SELECT count(*) FROM ledger_transactions)::float8 AS transactions,
    (SELECT count(*) FROM wallets)::float8 AS wallets,
    (SELECT count(*) FROM outbox_messages)::float8 AS outbox,
    (SELECT count(*) FROM events WHERE relayed_at IS NULL)::float8 AS "eventsWaiting"`;

/**
 * Finds the contradictions of all invariants in one read-only snapshot. Returns only the first ones, however many there
 * are.
 */
export async function auditBooks(pool: Pool, invariants: readonly Invariant[]): Promise<BooksAudit> {
  const session = await pool.connect();
  let whole = false;
  try {
    await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const audit = await auditBooksIn(session, invariants);
    await session.query('COMMIT');
    whole = true;
    return audit;
  } finally {
    // Closing the connection ends the transaction in any state.
    session.release(!whole);
  }
}

/** The same within an open transaction, including its own writes. */
export async function auditBooksIn(session: ClientBase, invariants: readonly Invariant[]): Promise<BooksAudit> {
  const { rows } = await session.query<BooksCounts>(COUNTS);
  const [counts] = rows;
  if (counts === undefined) throw new RangeError('nothing was counted');
  const violations: Violation[] = [];
  for (const { name, violations: sought } of invariants) {
    const { rows: found } = await session.query<{ readonly count: number; readonly found: string }>(
      `WITH violations AS MATERIALIZED (${sought})
       SELECT (SELECT count(*) FROM violations)::float8 AS count, found FROM violations LIMIT ${VIOLATIONS_SHOWN_MAX}`,
    );
    const count = found[0]?.count ?? 0;
    if (count > 0) violations.push({ invariant: name, count, first: found.map((row) => row.found) });
  }
  return { counts, violations };
}
