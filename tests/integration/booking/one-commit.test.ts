import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { paymentId, reservationId } from '#domain/ids.ts';
import { heldAt, newRequest, placeOf, threeBoxOffices } from '#tests/support/box-offices.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { makeUsers, openHall, PRICE } from '#tests/support/hall.ts';

const { officeFor, pool } = await threeBoxOffices(await freshDatabase());

/** The rows that a payment writes: $1 the payment, $2 the reservation, $3 the user, $4 the key of the request. */
const WRITTEN = {
  payments: 'payment_id = $1',
  ledger_transactions: 'transaction_id = $1',
  ledger_entries: 'transaction_id = $1',
  wallets: 'user_id = $3',
  reservations: 'reservation_id = $2',
  reservation_seats: 'reservation_id = $2',
  seats: 'reservation_id = $2',
  seat_history: 'payment_id = $1',
  idempotency_keys: 'user_id = $3 AND key = $4',
  outbox_messages: 'message_id = (SELECT max(message_id) FROM outbox_messages WHERE reservation_id = $2)',
  events: "aggregate_id = $2 AND type = 'payment.captured'",
};

test('a payment, its entries, the seats, the answer, the outbox and the event are written by one transaction', async () => {
  const concert = await openHall(pool);
  const [user = ''] = await makeUsers(pool, 1, PRICE);
  const entry = placeOf(concert, user);
  const reservation = await heldAt(officeFor(0), entry, 1);
  const [payment, request] = [paymentId(randomUUID()), newRequest(entry)];
  const order = { paymentId: payment, reservationId: reservationId(reservation), entry, request };
  await officeFor(0).pay(order);

  const rows = Object.entries(WRITTEN).map(
    ([table, condition]) => `SELECT '${table}' AS "table", xmin::text AS transaction FROM ${table} WHERE ${condition}`,
  );
  const written = await pool.query<{ table: string; transaction: string }>(rows.join(' UNION ALL '), [
    payment,
    reservation,
    user,
    request.key,
  ]);
  const tables = new Set(written.rows.map(({ table }) => table));
  expect([...tables].toSorted()).toEqual(Object.keys(WRITTEN).toSorted());
  expect(new Set(written.rows.map(({ transaction }) => transaction)).size).toBe(1);
});
