import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { postgresHarness } from '#tests/contracts/postgres-harness.ts';
import { openBoxOffice } from '#tests/contracts/store-harness.ts';

// The tables alone, with nothing of ours above them: what they refuse to anybody who writes into them.

const harness = await postgresHarness();
const { pool } = harness.postgres;

let [fan, sold, refunded, payment, refundedPayment] = ['', '', '', '', ''];
beforeEach(async () => {
  const { user, hold, pay, cancel } = await openBoxOffice(harness);
  const someone = await user(100_000);
  const [one, two] = [await hold(someone, 1), await hold(someone, 2)];
  payment = (await pay(one)).answer.paymentId;
  refundedPayment = (await pay(two)).answer.paymentId;
  await cancel(two);
  [fan, sold, refunded] = [someone, one.reservationId, two.reservationId];
});

/** A refund with its entries in the ledger, as far as the tables let it. */
async function refund(of: string, also = ''): Promise<void> {
  const id = randomUUID();
  await pool.query(`
    BEGIN;
    INSERT INTO ledger_transactions VALUES ('${id}', 'REFUND', now());
    INSERT INTO ledger_entries (transaction_id, account, user_id, amount)
    VALUES ('${id}', 'WALLET', '${fan}', 10000), ('${id}', 'SALES', NULL, -10000);
    INSERT INTO refunds SELECT '${id}', '${of}', balance, now() FROM wallets WHERE user_id = '${fan}';
    ${also};
    COMMIT`);
}

const freeSeats = () => `UPDATE seats SET status = 'AVAILABLE', reservation_id = NULL, payment_id = NULL
  WHERE reservation_id = '${sold}'`;
const endReservation = () => `UPDATE reservations SET status = 'CANCELLED' WHERE reservation_id = '${sold}'`;

describe('the tables', () => {
  test('refund a payment once', async () => {
    await expect(refund(refundedPayment)).rejects.toThrow('refunds_payment_id_key');
  });

  test('refund no payment whose reservation stays confirmed', async () => {
    await expect(refund(payment)).rejects.toThrow(/is refunded and its reservation not cancelled/);
    await refund(payment, `${freeSeats()}; ${endReservation()}`);
  });

  test('end no paid reservation without a refund', async () => {
    await expect(pool.query(`${freeSeats()}; ${endReservation()}`)).rejects.toThrow(/is paid and not refunded/);
  });

  test('revive no ended reservation', async () => {
    const back = `UPDATE reservations SET status = 'CONFIRMED' WHERE reservation_id = '${refunded}'`;
    await expect(pool.query(back)).rejects.toThrow('UPDATE on reservations is not allowed');
  });

  test('accept no refund without a ledger transaction or a payment', async () => {
    const row = (id: string, of: string) => pool.query(`INSERT INTO refunds VALUES ($1, $2, 0, now())`, [id, of]);
    await expect(row(randomUUID(), payment)).rejects.toThrow('refunds_refund_id_fkey');
    await expect(row(payment, randomUUID())).rejects.toThrow('refunds_payment_id_fkey');
  });

  test.each(['UPDATE refunds SET balance = 0', 'DELETE FROM refunds', 'TRUNCATE refunds'])(
    'keep a refund forever: no %s',
    async (change) => {
      await expect(pool.query(change)).rejects.toThrow(/on refunds is not allowed/);
    },
  );

  test('keep the policy within its bounds', async () => {
    const set = (column: string, value: number) => pool.query(`UPDATE concerts SET ${column} = ${value}`);
    await expect(set('hold_seconds_max', -1)).rejects.toThrow('concerts_hold_seconds_max_bounds');
    await expect(set('hold_seconds_max', 86_401)).rejects.toThrow('concerts_hold_seconds_max_bounds');
    await expect(set('refund_until_seconds', -2)).rejects.toThrow('concerts_refund_until_seconds_bounds');
    await expect(set('refund_until_seconds', 31_536_001)).rejects.toThrow('concerts_refund_until_seconds_bounds');
  });
});
