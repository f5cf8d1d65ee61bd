import type { Pool } from 'pg';
import type { Call, Said } from '#tests/history/calls.ts';

const BOOKS = {
  reservation: 'SELECT reservation_id FROM reservations WHERE reservation_id = ANY ($1::uuid[])',
  payment: 'SELECT payment_id FROM payments WHERE payment_id = ANY ($1::uuid[])',
  refund: 'SELECT refund_id FROM refunds WHERE refund_id = ANY ($1::uuid[])',
  charge: `SELECT transaction_id FROM ledger_transactions WHERE kind = 'CHARGE' AND transaction_id = ANY ($1::uuid[])`,
} as const;

/** What was acknowledged to somebody, and is not in the books: nothing, whatever broke. */
export async function lost(pool: Pool, calls: readonly Call[]): Promise<string[]> {
  const missing: string[] = [];
  for (const [kind, found] of Object.entries(BOOKS)) {
    const acknowledged = new Set(calls.flatMap((call) => idOf(call, kind as keyof typeof BOOKS) ?? []));
    const { rows } = await pool.query<[string]>({ text: found, values: [[...acknowledged]], rowMode: 'array' });
    for (const [id] of rows) acknowledged.delete(id);
    missing.push(...[...acknowledged].map((id) => `${kind} ${id}`));
  }
  return missing;
}

function idOf({ asked, ending }: Call, kind: keyof typeof BOOKS): string | undefined {
  if (ending.kind !== 'done') return undefined;
  const said: Said = ending.said;
  switch (asked.what) {
    case 'reserve':
      return kind === 'reservation' ? said.reservationId : undefined;
    case 'pay':
      return kind === 'payment' ? said.paymentId : undefined;
    case 'charge':
      return kind === 'charge' ? said.chargeId : undefined;
    case 'cancel':
      return kind === 'refund' ? said.refund?.refundId : undefined;
    default:
      return undefined;
  }
}
