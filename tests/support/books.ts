import type { ClientBase, Pool } from 'pg';
import { auditBooks, auditBooksIn } from '#commands/audits/audit-books.ts';
import { books, eventNumbers, events, outbox } from '#commands/audits/invariants.ts';

/** Everything in the books of a database that contradicts something else in them: none, whatever has happened. */
export async function contradictions(pool: Pool): Promise<string[]> {
  const { violations } = await auditBooks(pool, books);
  return violations.flatMap(({ first }) => first);
}

/** The same within a transaction, with all that it has written. */
export async function contradictionsIn(session: ClientBase): Promise<string[]> {
  const { violations } = await auditBooksIn(session, books);
  return violations.flatMap(({ first }) => first);
}

/** What Redis and other services should have learnt by now and did not, and events that are missing between others. */
export async function overdue(pool: Pool): Promise<string[]> {
  const { violations } = await auditBooks(pool, [outbox, events, eventNumbers]);
  return violations.flatMap(({ first }) => first);
}

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
