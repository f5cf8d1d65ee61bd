import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { auditBooks, auditBooksIn } from '#commands/audits/audit-books.ts';
import { auditHoldKeys } from '#commands/audits/audit-hold-keys.ts';
import { books, eventNumbers, events, outbox } from '#commands/audits/invariants.ts';
import { paymentId, refundId, reservationId, userId } from '#domain/ids.ts';
import { auditCommand } from '#tests/support/audit-command.ts';
import { copyDatabase } from '#tests/support/database.ts';
import { DATE, makeUsers, openHall, PRICE } from '#tests/support/hall.ts';
import { realPorts } from '#tests/support/real-ports.ts';

/** Longer than any test takes. */
const KEY_MS = 600_000;
const EVERYTHING = [...books, outbox, events, eventNumbers];

type Ids = Readonly<
  Record<'sold' | 'refunded' | 'resold' | 'held' | 'payment' | 'refundedPayment' | 'refund' | 'concert', string>
>;

/**
 * A box office with a database of its own, in which everything has happened: seat 1 is sold, seat 2 was refunded and sold
 * again, seat 3 is held.
 */
async function boxOffice(seats = 5) {
  const database = await copyDatabase(inject('databaseUrl'), inject('databaseTemplate'));
  const { ports, pool, redis, close } = await realPorts(database.databaseUrl, inject('redisUrl'));
  const concert = await openHall(pool, { seats });
  const [one = '', other = ''] = await makeUsers(pool, 2, 10 * PRICE);
  const requestOf = (user: string) => ({ userId: userId(user), key: randomUUID(), fingerprint: 'asked' });
  const placeOf = (user: string) => ({ userId: userId(user), concertId: concert, sequence: 1, epoch: 'none' });

  async function hold(user: string, ...seatNumbers: readonly number[]) {
    const seats = { userId: userId(user), concertId: concert, date: DATE, seatNumbers };
    const id = reservationId(randomUUID());
    const outcome = await ports.boxOffice.hold({
      ...{ ...seats, reservationId: id, entry: placeOf(user), request: requestOf(user) },
      ...{
        holdSeconds: 300,
        seatsPerUserMax: 10_000,
        holdsPerSessionMax: 10_000,
        sessionSeconds: 600,
        strandedSeats: 'off',
      },
    });
    if (outcome.outcome !== 'held') throw new Error('taken');
    return { ...seats, reservationId: id };
  }
  async function buy(user: string, seatNumber: number) {
    const reservation = (await hold(user, seatNumber)).reservationId;
    const payment = paymentId(randomUUID());
    const order = { entry: placeOf(user), request: requestOf(user) };
    await ports.boxOffice.pay({ ...order, paymentId: payment, reservationId: reservation });
    return { reservation, payment };
  }

  const sold = await buy(one, 1);
  const refunded = await buy(one, 2);
  const refund = refundId(randomUUID());
  await ports.boxOffice.cancel({
    ...{ refundId: refund, reservationId: refunded.reservation, refundUntilSeconds: 0, request: requestOf(one) },
  });
  const resold = await buy(other, 2);
  const held = await hold(other, 3);
  // However slow a test is, nobody has waited too long for what has not been told.
  await pool.query(
    `UPDATE events SET written_at = written_at + interval '1 day';
     UPDATE outbox_messages SET created_at = created_at + interval '1 day', due_at = due_at + interval '1 day'`,
  );
  const ids: Ids = {
    ...{ sold: sold.reservation, payment: sold.payment, concert, held: held.reservationId },
    ...{ refunded: refunded.reservation, refundedPayment: refunded.payment, refund, resold: resold.reservation },
  };

  return {
    ...{ ids, pool, redis, ports, hold, user: other, heldSeats: held },
    databaseUrl: database.databaseUrl,
    /** Redis has been told of everything. */
    toldAll: () => pool.query('DELETE FROM outbox_messages'),
    async [Symbol.asyncDispose]() {
      await close();
      await database.drop();
    },
  };
}

/** Triggers first: some of them belong to constraints, and go with them. */
const WITHOUT_GUARDS = `DO $$
DECLARE
  guard record;
BEGIN
  FOR guard IN SELECT tgrelid::regclass AS "table", tgname AS name FROM pg_trigger WHERE NOT tgisinternal LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', guard.name, guard."table");
  END LOOP;
  FOR guard IN SELECT conrelid::regclass AS "table", conname AS name FROM pg_constraint
    WHERE contype IN ('f', 'c') AND connamespace = 'public'::regnamespace AND conrelid <> 0 LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', guard."table", guard.name);
  END LOOP;
  FOR guard IN SELECT indexrelid::regclass AS name FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
    WHERE indisunique AND NOT indisprimary AND relnamespace = 'public'::regnamespace LOOP
    EXECUTE format('DROP INDEX %s', guard.name);
  END LOOP;
END $$`;

type Plant = readonly [invariant: string, found: RegExp, plant: (ids: Ids) => string];

const plants: readonly Plant[] = [
  [
    'a seat has at most one live reservation',
    /^seat 2 of \S+ has 2 live reservations$/,
    ({ refunded }) => `UPDATE reservation_seats SET status = 'HELD' WHERE reservation_id = '${refunded}'`,
  ],
  ['a seat is paid for once, unless it was refunded', /^seat 2 of \S+ was paid 2 times$/, () => 'DELETE FROM refunds'],
  [
    'a reservation is paid once',
    /^reservation \S+ was paid 2 times$/,
    ({ sold }) => `INSERT INTO payments
      SELECT gen_random_uuid(), reservation_id, user_id, amount, currency, balance, paid_at FROM payments
      WHERE reservation_id = '${sold}'`,
  ],
  [
    'a payment is refunded once',
    /^payment \S+ was refunded 2 times$/,
    () => 'INSERT INTO refunds SELECT gen_random_uuid(), payment_id, balance, refunded_at FROM refunds',
  ],
  [
    'a sold seat is live and paid',
    /^seat 1 of \S+ is sold, but not to who paid for it$/,
    ({ sold }) => `UPDATE reservations SET status = 'EXPIRED' WHERE reservation_id = '${sold}'`,
  ],
  [
    'a sold seat is live and paid',
    /^seat 2 of \S+ is sold, but not to who paid for it$/,
    ({ refundedPayment }) => `UPDATE seats SET payment_id = '${refundedPayment}' WHERE seat_number = 2`,
  ],
  [
    'a paid reservation has its seats',
    /^reservation \S+ is paid, but seat 1 is not its own$/,
    () => `UPDATE seats SET status = 'AVAILABLE', reservation_id = NULL, payment_id = NULL WHERE seat_number = 1`,
  ],
  [
    'a hold has its seats until its deadline',
    /^reservation \S+ holds seat 3 no more$/,
    () => `UPDATE seats SET held_until = held_until - interval '1 second' WHERE seat_number = 3`,
  ],
  [
    'a held seat has a hold',
    /^seat 3 of \S+ is held by a reservation that is CANCELLED$/,
    ({ held }) => `UPDATE reservations SET status = 'CANCELLED' WHERE reservation_id = '${held}'`,
  ],
  [
    'each seat on record has the status of its reservation',
    /^seat 1 of reservation \S+ is EXPIRED on record, the reservation is CONFIRMED$/,
    ({ sold }) => `UPDATE reservation_seats SET status = 'EXPIRED' WHERE reservation_id = '${sold}'`,
  ],
  [
    'each hold of a seat is on record',
    /^seat 2 of \S+ was taken 2 times, of which 1 are on record$/,
    ({ refunded }) => `DELETE FROM reservation_seats WHERE reservation_id = '${refunded}'`,
  ],
  [
    'the history of a seat ends with its present state',
    /^seat 3 of \S+ is HELD, its history ends with its making$/,
    () => `DELETE FROM seat_history WHERE seat_number = 3 AND change = 'held'`,
  ],
  [
    'the history of a seat ends with its present state',
    /^seat 2 of \S+ is SOLD, its history ends with sold$/,
    ({ refundedPayment }) =>
      `UPDATE seat_history SET payment_id = '${refundedPayment}' WHERE seat_number = 2 AND change = 'sold'`,
  ],
  [
    'the history of a seat ends with its present state',
    /^seat 5 of \S+ is BLOCKED, its history ends with its making$/,
    () => `UPDATE seats SET status = 'BLOCKED' WHERE seat_number = 5`,
  ],
  [
    'a reservation is CONFIRMED while it is paid, and CANCELLED once it is refunded',
    /^reservation \S+ is CONFIRMED, with payment that was refunded$/,
    ({ refunded }) => `UPDATE reservations SET status = 'CONFIRMED' WHERE reservation_id = '${refunded}'`,
  ],
  [
    'a reservation is CONFIRMED while it is paid, and CANCELLED once it is refunded',
    /^reservation \S+ is CONFIRMED, without payment$/,
    ({ sold }) => `DELETE FROM payments WHERE reservation_id = '${sold}'`,
  ],
  [
    'a payment equals the price of its seats, and the debit of the wallet',
    /^payment \S+ took 1000 from the balance, for seats worth 999$/,
    ({ sold }) => `UPDATE reservation_seats SET price = price - 1 WHERE reservation_id = '${sold}'`,
  ],
  [
    'a payment comes from the wallet of the user who reserved',
    /^payment \S+ is from \S+, reservation \S+ is of \S+$/,
    ({ sold, resold }) => `WITH other AS (SELECT user_id FROM reservations WHERE reservation_id = '${resold}'),
        payer AS (UPDATE payments SET user_id = other.user_id FROM other WHERE reservation_id = '${sold}' RETURNING payment_id)
      UPDATE ledger_entries SET user_id = other.user_id FROM payer, other
      WHERE transaction_id = payment_id AND account = 'WALLET'`,
  ],
  [
    'a payment comes from the wallet of the user who reserved',
    /^payment \S+ is from \S+, reservation \S+ is of nobody$/,
    ({ sold }) => `DELETE FROM reservations WHERE reservation_id = '${sold}'`,
  ],
  [
    'a refund equals its payment, and the credit of the wallet',
    /^refund \S+ gave 1001, the payment was 1000$/,
    ({ refund }) =>
      `UPDATE ledger_entries SET amount = amount + 1 WHERE transaction_id = '${refund}' AND account = 'WALLET'`,
  ],
  [
    'a refund equals its payment, and the credit of the wallet',
    /^refund \S+ is of no payment$/,
    () => 'UPDATE refunds SET payment_id = gen_random_uuid()',
  ],
  [
    'every purchase in the ledger is a payment, and every refund a refund',
    /^purchase \S+ is in the ledger without a payment$/,
    ({ sold }) => `DELETE FROM payments WHERE reservation_id = '${sold}'`,
  ],
  [
    'every purchase in the ledger is a payment, and every refund a refund',
    /^refund \S+ is in the ledger without a refund$/,
    () => 'DELETE FROM refunds',
  ],
  [
    'every purchase in the ledger is a payment, and every refund a refund',
    /^payment \S+ is a charge in the ledger$/,
    ({ payment }) => `UPDATE ledger_transactions SET kind = 'CHARGE' WHERE transaction_id = '${payment}'`,
  ],
  [
    'every purchase in the ledger is a payment, and every refund a refund',
    /^refund \S+ is a nothing in the ledger$/,
    ({ refund }) => `DELETE FROM ledger_transactions WHERE transaction_id = '${refund}'`,
  ],
  [
    'a transaction sums to zero',
    /^transaction \S+ sums to 1$/,
    ({ payment }) =>
      `UPDATE ledger_entries SET amount = amount + 1 WHERE transaction_id = '${payment}' AND account = 'SALES'`,
  ],
  [
    'a transaction sums to zero',
    /^transaction \S+ sums to nothing$/,
    () => `INSERT INTO ledger_transactions VALUES (gen_random_uuid(), 'CHARGE', now())`,
  ],
  [
    'an entry belongs to a transaction, and a wallet entry to a wallet',
    /^entry \d+ is of no transaction$/,
    () => `INSERT INTO ledger_entries (transaction_id, account, amount) VALUES (gen_random_uuid(), 'SALES', 0)`,
  ],
  [
    'an entry belongs to a transaction, and a wallet entry to a wallet',
    /^entry \d+ is of no wallet$/,
    () => `UPDATE ledger_entries SET user_id = gen_random_uuid() WHERE account = 'WALLET'`,
  ],
  [
    'a balance is the sum of its entries, and not negative',
    /^wallet \S+ has 9001, its entries sum to 9000$/,
    ({ sold }) => `UPDATE wallets SET balance = balance + 1
      WHERE user_id = (SELECT user_id FROM reservations WHERE reservation_id = '${sold}')`,
  ],
  [
    'a balance is the sum of its entries, and not negative',
    /^wallet \S+ has -1, its entries sum to -1$/,
    () => `UPDATE wallets SET balance = -1; DELETE FROM ledger_entries WHERE account = 'WALLET';
      INSERT INTO ledger_entries (transaction_id, account, user_id, amount, balance_after)
      SELECT gen_random_uuid(), 'WALLET', user_id, -1, -1 FROM wallets`,
  ],
  [
    'an entry has the balance after it',
    /^entry \d+ of wallet \S+ says 9999, the entries up to it sum to 10000$/,
    () => `UPDATE ledger_entries SET balance_after = balance_after - 1 WHERE balance_after = 10000`,
  ],
  [
    // As a refund leaves it whose number was drawn before another entry's that came in between. The balance is right all the same.
    'an entry has the balance after it',
    /^entry \d+ of wallet \S+ says 8000, the entries up to it sum to 9000$/,
    ({ refundedPayment }) => `UPDATE ledger_entries SET entry_id = entry_id + 1000
      WHERE transaction_id = '${refundedPayment}' AND account = 'WALLET'`,
  ],
  [
    outbox.name,
    /^outbox message \d+, of reservation \S+, waits since \S+/,
    ({ held }) =>
      `UPDATE outbox_messages SET created_at = created_at - interval '2 days' WHERE reservation_id = '${held}'`,
  ],
  [
    events.name,
    /^event \d+, reservation\.held of \S+, waits since \S+/,
    ({ held }) => `UPDATE events SET written_at = written_at - interval '2 days' WHERE aggregate_id = '${held}'`,
  ],
  [
    eventNumbers.name,
    /^event \d+ is number 3 of \S+, after number 1$/,
    ({ held }) => `INSERT INTO events (type, aggregate_id, aggregate_sequence, happened_at)
      VALUES ('reservation.cancelled', '${held}', 3, clock_timestamp())`,
  ],
];

describe('the audit of the books', async () => {
  const office = await boxOffice();
  afterAll(office[Symbol.asyncDispose]);
  const { ids, pool } = office;
  await pool.query(WITHOUT_GUARDS);

  /** What is found once something is written that no guard would let pass. All of it is rolled back. */
  async function auditWith(sql: string) {
    const session = await pool.connect();
    try {
      await session.query(`BEGIN; ${sql}`);
      return await auditBooksIn(session, EVERYTHING);
    } finally {
      await session.query('ROLLBACK');
      session.release();
    }
  }

  test('finds nothing in correct books, and reports what it read', async () => {
    expect(await auditBooks(pool, EVERYTHING)).toEqual({
      violations: [],
      counts: {
        ...{ seatsSold: 2, seatsHeld: 1, reservations: 4, payments: 3, refunds: 1, wallets: 2 },
        ...{ transactions: 6, outbox: 8, eventsWaiting: 9 },
      },
    });
  });

  test('has a planted violation for each of its invariants', () => {
    expect(new Set(plants.map(([invariant]) => invariant))).toEqual(new Set(EVERYTHING.map(({ name }) => name)));
  });

  test.each(plants)('finds a violation of: %s: %s', async (invariant, found, plant) => {
    const { violations } = await auditWith(plant(ids));
    expect(violations).toContainEqual({
      ...{ invariant, count: expect.any(Number) },
      first: expect.arrayContaining([expect.stringMatching(found)]),
    });
  });

  test('counts all contradictions and shows the first ones', async () => {
    const { violations } = await auditWith(
      `INSERT INTO ledger_transactions SELECT gen_random_uuid(), 'CHARGE', now() FROM generate_series(1, 250)`,
    );
    expect(violations).toMatchObject([{ count: 250 }]);
    expect(violations[0]?.first).toHaveLength(100);
  });
});

describe('the audit of hold keys', () => {
  const ACQUIRED_MS = 100;

  test('finds a key that stays though its seat is free, or free again', async () => {
    await using office = await boxOffice(1_300);
    const { pool, redis, ports, hold, user, heldSeats, toldAll } = office;
    const lapsed = await hold(user, 1_150);
    await ports.holdKeys.keep(heldSeats, KEY_MS);
    await toldAll();
    await pool.query(
      `UPDATE seats SET held_until = clock_timestamp() - interval '2 seconds' WHERE concert_id = $1 AND seat_number = 1150`,
      [lapsed.concertId],
    );
    expect(await auditHoldKeys(pool, redis, ACQUIRED_MS)).toEqual({ free: 1_297, violations: [] });

    await ports.holdKeys.keep({ ...lapsed, seatNumbers: [5, 1_150] }, KEY_MS);
    const { violations } = await auditHoldKeys(pool, redis, ACQUIRED_MS);
    expect(violations).toMatchObject([
      {
        count: 2,
        first: [
          expect.stringMatching(/^seat 5 of \S+ on \S+ is free, its hold key is of \S+$/),
          expect.stringMatching(/^seat 1150 of \S+ on \S+ is free, its hold key is of \S+$/),
        ],
      },
    ]);
    await ports.holdKeys.release({ ...lapsed, seatNumbers: [5, 1_150] });
  });

  test('waits for acquired keys to expire, to become a hold, or for Redis to learn of its end', async () => {
    await using office = await boxOffice(10);
    const { pool, redis, ports, hold, user, heldSeats, toldAll } = office;
    await toldAll();
    // Acquired keys that came to nothing, others that became a hold, and the key of a hold that is over since a moment.
    await ports.holdKeys.keep({ ...heldSeats, seatNumbers: [5] }, ACQUIRED_MS);
    await ports.holdKeys.keep({ ...heldSeats, seatNumbers: [6] }, KEY_MS);
    const over = await hold(user, 7);
    await ports.holdKeys.keep(over, KEY_MS);
    await ports.boxOffice.release(over.userId, over.reservationId);
    let looks = 0;
    const mget = async (keys: string[]) => {
      const marks = await redis.mget(keys);
      if (looks++ === 0) await hold(user, 6);
      return marks;
    };
    expect(await auditHoldKeys(pool, { mget }, ACQUIRED_MS)).toMatchObject({ violations: [] });
    expect(looks).toBe(2);
    await toldAll();
    expect(await auditHoldKeys(pool, redis, ACQUIRED_MS)).toMatchObject({ violations: [{ count: 1 }] });
    await ports.holdKeys.release({ ...heldSeats, seatNumbers: [6, 7] });
    await ports.holdKeys.release(over);
  });

  test('does not read past dates', async () => {
    await using office = await boxOffice(10);
    const { pool, redis } = office;
    await pool.query(`UPDATE concert_dates SET starts_at = clock_timestamp() - interval '1 second'`);
    expect(await auditHoldKeys(pool, redis, ACQUIRED_MS)).toEqual({ free: 0, violations: [] });
  });
});

describe('npm run audit', async () => {
  const office = await boxOffice();
  afterAll(office[Symbol.asyncDispose]);
  const { databaseUrl, ports, heldSeats, pool } = office;
  const servers = { DATABASE_URL: databaseUrl, REDIS_URL: inject('redisUrl') };

  test('fails without a database, or with a Redis that does not answer', async () => {
    expect(await auditCommand('audit', {})).toEqual({
      ...{ exitCode: 2, said: expect.stringContaining('DATABASE_URL is not set') },
    });
    await office.toldAll();
    expect(await auditCommand('audit', { ...servers, REDIS_URL: 'redis://127.0.0.1:1' })).toMatchObject({
      exitCode: 2,
    });
  });

  test('reports clean books, with what it read, and exits with 0', async () => {
    await ports.holdKeys.keep(heldSeats, KEY_MS);
    const withRedis = await auditCommand('audit', servers);
    expect(withRedis).toEqual({
      exitCode: 0,
      said: expect.stringMatching(/^refunds +1$[\s\S]*^seats free +\d+$\nclean$/m),
    });
    const without = await auditCommand('audit', { DATABASE_URL: databaseUrl });
    expect(without).toEqual({
      exitCode: 0,
      said: expect.stringMatching(/^seats free +hold keys not compared: .*\nclean$/m),
    });
  });

  // The last one: it takes the guards away.
  test('names contradictions, and exits with 1', async () => {
    await pool.query(`${WITHOUT_GUARDS}; DELETE FROM refunds`);
    const { said, exitCode } = await auditCommand('audit', servers);
    expect(exitCode).toBe(1);
    expect(said).toMatch(/^NOT SO: a seat is paid for once, unless it was refunded \(1\)\n {2}seat 2 of/m);
    expect(said).toMatch(/^NOT CLEAN$/m);
  });
});
