import { randomUUID } from 'node:crypto';
import { Client, type ClientBase, DatabaseError } from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { bareDatabase, type Guard } from '#tests/support/bare-database.ts';
import { contradictions, contradictionsIn } from '#tests/support/books.ts';
import { type SoldHall, sellHall } from '#tests/support/sold-hall.ts';
import { inTwoSessions } from '#tests/support/two-sessions.ts';

// Each guard of the tables by itself: attacked by plain SQL in a database that has no other guard, and none of our functions
// in use. It refuses; and once it is gone as well, the same attack does the damage. One session takes each guard away and
// rolls that back; an attack by two sessions at once has a database of its own.

let hall: SoldHall;
const bare = await bareDatabase(async (databaseUrl) => {
  hall = await sellHall(databaseUrl);
  const client = new Client(databaseUrl);
  await client.connect();
  await client.query(
    `INSERT INTO queues (concert_id, epoch) VALUES ('${hall.concert}', 'AAAAAAAA') ON CONFLICT DO NOTHING;
     INSERT INTO queue_events VALUES ('${hall.concert}', 1, 1, 1, 'admitted', 1, 1, now(), now());
     INSERT INTO lotteries SELECT '${hall.concert}', seed, sha256(seed) FROM (SELECT decode(repeat('ab', 32), 'hex')) AS drawn (seed);
     INSERT INTO seat_plans VALUES ('${hall.concert}', 1, '{}', sha256('{}'))`,
  );
  await client.end();
});
afterAll(bare.drop);

/** The tables of seats and money. Of other tables, what lets nothing be changed or deleted, or neither. */
const GUARDED = [
  ...['seats', 'reservations', 'reservation_seats', 'wallets', 'ledger_transactions', 'ledger_entries', 'payments'],
  ...['refunds', 'seat_history'],
];
const isGuarded = ({ on, make }: Guard) => GUARDED.includes(on) || /FOR EACH STATEMENT .+ refuse_change\(/.test(make);

type Attack = { readonly by: (hall: SoldHall) => string } & (
  | {
      readonly atOnce?: never;
      /** What the audit finds then; or a query that finds it. */
      readonly damage: RegExp | ((hall: SoldHall) => string);
    }
  | {
      /** The same or, if it is told apart by its random ids, another one at the same time: one of them gets through at most. */
      readonly atOnce: true;
      readonly damage: RegExp;
    }
);

const id = () => `'${randomUUID()}'`;
const seatIs = (change: string, seat: number) => `UPDATE seats SET ${change} WHERE seat_number = ${seat}`;
const reservation = (user: string, at: SoldHall, status = 'HELD') =>
  `INSERT INTO reservations (reservation_id, user_id, concert_id, date, status, amount, currency, held_until, held_for_seconds,
     created_at) VALUES (${id()}, '${user}', '${at.concert}', '${at.date}', '${status}', 1000, 'KRW',
     now() + interval '5 min', 300, now())`;
const payment = (at: SoldHall, { as = id(), of = `'${at.held}'`, amount = 1_000, balance = 0 } = {}) =>
  `INSERT INTO payments VALUES (${as}, ${of}, '${at.other}', ${amount}, 'KRW', ${balance}, now())`;
const refund = (of: string, as = id(), balance = 0) => `INSERT INTO refunds VALUES (${as}, ${of}, ${balance}, now())`;
const entry = (transaction: string, amount: number) =>
  `INSERT INTO ledger_entries (transaction_id, account, amount) VALUES (${transaction}, 'SALES', ${amount})`;

/** Statements that would change, take away or wipe out what is there: the last word is the table's. */
function changesTo(table: string, update: string, damage: Attack['damage']): Attack[] {
  return [`UPDATE ${table} SET ${update}`, `DELETE FROM ${table}`, `TRUNCATE ${table}`].map((change) => ({
    by: () => change,
    damage,
  }));
}

const without = (table: string, row: string) => () => `SELECT WHERE NOT EXISTS (SELECT FROM ${table} WHERE ${row})`;
const change = (change: string, reservation: string, payment: string) =>
  `INSERT INTO seat_history (concert_id, date, seat_number, change, fence, reservation_id, payment_id, price, changed_at)
   VALUES (${id()}, '2099-01-01', 1, '${change}', 1, ${reservation}, ${payment}, 1, now())`;

const attacks: Readonly<Record<string, readonly Attack[]>> = {
  // A seat, and who has it.
  reservation_seats_one_live: [
    {
      by: (at) => `WITH made AS (${reservation(at.other, at)} RETURNING reservation_id)
        INSERT INTO reservation_seats SELECT reservation_id, '${at.concert}', '${at.date}', 4, 1, 1000 FROM made`,
      atOnce: true,
      damage: /seat 4 of \S+ has [2-9] live reservations/,
    },
  ],
  // An overtaken hold: seat 2 was refunded to its first buyer, and somebody else has it at fence 2.
  seats_taken_on_record_fkey: [
    {
      by: (at) => seatIs(`reservation_id = '${at.refunded}', payment_id = '${at.refundedPayment}'`, 2),
      damage: /seat 2 of \S+ is sold, but not to who paid for it/,
    },
  ],
  seats_fence_never_falls: [
    { by: () => seatIs('fence = 1', 2), damage: /seat 2 of \S+ was taken 1 times, of which 2 are on record/ },
  ],
  seats_held_by_a_reservation: [{ by: () => seatIs('held_until = NULL', 3), damage: /holds seat 3 no more/ }],
  seats_taken_by_a_reservation: [{ by: () => seatIs('reservation_id = NULL', 3), damage: /holds seat 3 no more/ }],
  reservation_seats_reservation_id_status_fkey: [
    {
      by: (at) => `UPDATE reservation_seats SET status = 'EXPIRED' WHERE reservation_id = '${at.sold}'`,
      damage: /seat 1 of reservation \S+ is EXPIRED on record, the reservation is CONFIRMED/,
    },
  ],
  reservation_seats_concert_id_date_seat_number_fkey: [
    {
      by: (at) => `INSERT INTO reservation_seats VALUES ('${at.held}', '${at.concert}', '${at.date}', 6, 1, 1000)`,
      damage: () => 'SELECT FROM reservation_seats LEFT JOIN seats USING (seat_number) WHERE seats.status IS NULL',
    },
  ],
  reservations_end_once: [
    {
      by: (at) => `UPDATE reservations SET status = 'CONFIRMED' WHERE reservation_id = '${at.refunded}'`,
      damage: /is CONFIRMED, with payment that was refunded/,
    },
  ],
  reservations_paid_end_by_refund: [
    {
      by: (at) => `UPDATE reservations SET status = 'CANCELLED' WHERE reservation_id = '${at.sold}'`,
      damage: /is CANCELLED, with payment/,
    },
  ],
  reservations_user_id_fkey: [
    {
      by: (at) => reservation(randomUUID(), at, 'EXPIRED'),
      damage: () => 'SELECT FROM reservations LEFT JOIN users u USING (user_id) WHERE u.user_id IS NULL',
    },
  ],

  // From the seat to the payment, and on to the ledger.
  seats_sold_for_a_payment: [
    { by: () => seatIs(`status = 'SOLD', held_until = NULL`, 3), damage: /seat 3 of \S+ is sold, but not to who paid/ },
  ],
  seats_payment_of_the_reservation_fkey: [
    {
      by: () => seatIs(`status = 'SOLD', held_until = NULL, payment_id = ${id()}`, 3),
      damage: /seat 3 of \S+ is sold, but not to who paid/,
    },
    {
      by: (at) => seatIs(`status = 'SOLD', held_until = NULL, payment_id = '${at.payment}'`, 3),
      damage: /seat 3 of \S+ is sold, but not to who paid/,
    },
  ],
  payments_payment_id_fkey: [{ by: (at) => payment(at), damage: /payment \S+ is a nothing in the ledger/ }],
  payments_reservation_id_fkey: [
    { by: (at) => payment(at, { of: id() }), damage: /payment \S+ took \S* ?from the balance, for seats worth/ },
  ],
  payments_reservation_id_key: [{ by: (at) => payment(at), atOnce: true, damage: /was paid [2-9] times/ }],
  payments_amount_not_negative: [
    { by: (at) => payment(at, { amount: -1 }), damage: () => 'SELECT FROM payments WHERE amount < 0' },
  ],
  payments_balance_not_negative: [
    { by: (at) => payment(at, { balance: -1 }), damage: () => 'SELECT FROM payments WHERE balance < 0' },
  ],
  payments_append_only: changesTo(
    'payments',
    'amount = 1',
    /took -?\d+ from the balance|is CONFIRMED, without payment/,
  ),

  // Back again.
  refunds_refund_id_fkey: [{ by: (at) => refund(`'${at.payment}'`), damage: /refund \S+ is a nothing in the ledger/ }],
  refunds_payment_id_fkey: [{ by: () => refund(id()), damage: /refund \S+ is of no payment/ }],
  refunds_payment_id_key: [{ by: (at) => refund(`'${at.payment}'`), atOnce: true, damage: /was refunded [2-9] times/ }],
  refunds_end_the_reservation: [
    { by: (at) => refund(`'${at.payment}'`), damage: /is CONFIRMED, with payment that was refunded/ },
  ],
  refunds_balance_not_negative: [
    { by: (at) => refund(`'${at.payment}'`, id(), -1), damage: () => 'SELECT FROM refunds WHERE balance < 0' },
  ],
  refunds_append_only: changesTo('refunds', 'payment_id = gen_random_uuid()', /is CANCELLED, with payment/),

  // The ledger and the balances.
  wallets_balance_not_negative: [
    {
      by: (at) => `UPDATE wallets SET balance = balance - 5000 WHERE user_id = '${at.other}'`,
      atOnce: true,
      damage: /wallet \S+ has -\d+, its entries sum to/,
    },
  ],
  wallets_balance_moves_with_entries: [
    { by: () => 'UPDATE wallets SET balance = balance + 1', damage: /wallet \S+ has \d+, its entries sum to/ },
  ],
  wallets_start_empty: [
    {
      by: () => `INSERT INTO wallets VALUES (${id()}, 1, 'KRW')`,
      damage: /wallet \S+ has 1, its entries sum to 0/,
    },
  ],
  wallets_user_id_fkey: [
    {
      by: () => `INSERT INTO wallets VALUES (${id()}, 0, 'KRW')`,
      damage: () => 'SELECT FROM wallets LEFT JOIN users u USING (user_id) WHERE u.user_id IS NULL',
    },
  ],
  ledger_entries_sum_to_zero: [{ by: (at) => entry(`'${at.payment}'`, 5), damage: /transaction \S+ sums to 5/ }],
  ledger_transactions_have_entries: [
    {
      by: () => `INSERT INTO ledger_transactions VALUES (${id()}, 'CHARGE', now())`,
      damage: /transaction \S+ sums to nothing/,
    },
  ],
  ledger_entries_append_only: changesTo('ledger_entries', 'amount = 1', /transaction \S+ sums to (\d+|nothing)/),
  ledger_transactions_append_only: changesTo(
    'ledger_transactions',
    `kind = 'CHARGE'`,
    /payment \S+ is a (charge|nothing) in the ledger/,
  ),
  ledger_entries_transaction_id_fkey: [{ by: () => entry(id(), 0), damage: /entry \d+ is of no transaction/ }],
  ledger_entries_user_id_fkey: [
    {
      by: (at) => `INSERT INTO ledger_entries (transaction_id, account, user_id, amount, balance_after)
        VALUES ('${at.payment}', 'WALLET', ${id()}, 0, 0)`,
      damage: /entry \d+ is of no wallet/,
    },
  ],
  ledger_entries_wallet_has_user: [
    {
      by: (at) => `INSERT INTO ledger_entries (transaction_id, account, amount, balance_after)
        VALUES ('${at.payment}', 'WALLET', 0, 0)`,
      damage: /entry \d+ is of no wallet/,
    },
  ],
  ledger_entries_wallet_has_balance: [
    {
      by: (at) => `INSERT INTO ledger_entries (transaction_id, account, amount, balance_after)
        VALUES ('${at.payment}', 'SALES', 0, 0)`,
      damage: () => `SELECT FROM ledger_entries WHERE account = 'SALES' AND balance_after IS NOT NULL`,
    },
  ],

  // What was, and what was published.
  seat_history_append_only: changesTo(
    'seat_history',
    "change = 'released'",
    /seat 3 of \S+ is HELD, its history ends with/,
  ),
  seat_history_change_known: [
    { by: () => change('lost', 'NULL', 'NULL'), damage: () => "SELECT FROM seat_history WHERE change = 'lost'" },
  ],
  seat_history_names_the_reservation: [
    {
      by: () => change('held', 'NULL', 'NULL'),
      damage: () => "SELECT FROM seat_history WHERE change = 'held' AND reservation_id IS NULL",
    },
  ],
  seat_history_names_the_payment: [
    {
      by: () => change('sold', id(), 'NULL'),
      damage: () => "SELECT FROM seat_history WHERE change = 'sold' AND payment_id IS NULL",
    },
  ],
  queue_events_append_only: changesTo('queue_events', 'sequence = 2', without('queue_events', 'sequence = 1')),
  seat_plans_stay: changesTo('seat_plans', 'version = 2', without('seat_plans', 'version = 1')),
  // Drawing changes a row: what it may change are triggers of its own, tried in lines-contract.
  lotteries_stay: changesTo('lotteries', 'drawn_count = 1', without('lotteries', 'drawn_count IS NULL')).slice(1),

  // What a seat is.
  seats_concert_id_date_fkey: [
    {
      by: () => `INSERT INTO seats VALUES (${id()}, '2099-01-01', 1, 1)`,
      damage: () => 'SELECT FROM seats LEFT JOIN concert_dates d USING (concert_id, date) WHERE d.starts_at IS NULL',
    },
  ],
  seats_number_bounds: [
    { by: () => seatIs('seat_number = 0', 5), damage: () => 'SELECT FROM seats WHERE seat_number < 1' },
  ],
  seats_price_bounds: [
    { by: () => seatIs('price = -1', 5), damage: () => 'SELECT FROM seats WHERE price < 0' },
    {
      by: () => seatIs('price = 9007199254740992', 5),
      damage: () => 'SELECT FROM seats WHERE price > 9007199254740991',
    },
  ],
  seats_located_or_not: [
    {
      by: () => seatIs('place = 1', 5),
      damage: () => 'SELECT FROM seats WHERE place IS NOT NULL AND section IS NULL',
    },
  ],
  seats_location_bounds: [{ by: () => seatIs('place = 0', 5), damage: () => 'SELECT FROM seats WHERE place < 1' }],
};

/** Does not refuse, but sees to it: see below. */
const KEEPS_THE_SUM = 'ledger_entries_move_the_balance';

/** A paid reservation. */
const cancelled = ({ payment }: SoldHall) => `UPDATE reservations SET status = 'CANCELLED'
  WHERE reservation_id = (SELECT reservation_id FROM payments WHERE payment_id = '${payment}')`;

/** Guard nothing and refuse nothing, not even what is wrong: they write down what was done, there. */
const records: Readonly<Record<string, readonly [into: 'events' | 'seat_history', by: (hall: SoldHall) => string]>> = {
  reservations_emit_held: ['events', (at) => reservation(randomUUID(), at)],
  reservations_emit_extended: ['events', () => "UPDATE reservations SET held_until = 'infinity' WHERE status = 'HELD'"],
  reservations_emit_expired: ['events', () => "UPDATE reservations SET status = 'EXPIRED' WHERE status = 'HELD'"],
  reservations_emit_released: ['events', () => "UPDATE reservations SET status = 'CANCELLED' WHERE status = 'HELD'"],
  reservations_emit_captured: ['events', () => "UPDATE reservations SET status = 'CONFIRMED' WHERE status = 'HELD'"],
  reservations_emit_refunded: ['events', cancelled],
  reservations_emit_refunded_end: ['events', cancelled],
  seats_made_are_history: [
    'seat_history',
    (at) => `INSERT INTO seats (concert_id, date, seat_number, price, status)
      VALUES ('${at.concert}', '${at.date}', 0, -1, 'BLOCKED')`,
  ],
  seats_changed_are_history: ['seat_history', () => seatIs("status = 'BLOCKED'", 3)],
};

test('every guard of seats and money is attacked here', () => {
  const guards = bare.guards.filter(isGuarded).map(({ name }) => name);
  const here = [...Object.keys(attacks), ...Object.keys(records), KEEPS_THE_SUM];
  expect(here.toSorted()).toEqual(guards.toSorted());
});

test.each(Object.entries(records))('%s refuses nothing, but records the change', async (name, [into, by]) => {
  await using guarded = await bare.withOnly(name);
  const { session } = guarded;
  const written = async () => Number((await session.query(`SELECT count(*) FROM ${into}`)).rows[0].count);
  const before = await written();
  expect((await session.query(by(hall))).rowCount).toBe(1);
  expect(await written()).toBeGreaterThan(before);
});

describe.each(Object.keys(attacks))('with no guard but %s', (guard) => {
  const cases = (attacks[guard] ?? []).map((attack) => [nameOf(attack), attack] as const);

  test.each(cases)('%s is refused, and does its damage without the guard', async (_, { by, atOnce, damage }) => {
    if (atOnce) {
      await using database = await bare.copyWithOnly(guard);
      const { pool } = database;
      const attack = () => inTwoSessions(pool, [by(hall), by(hall)]);
      expectRefusedBy(guard, await attack());
      await database.dropGuard();
      expect(await attack()).toEqual([undefined, undefined]);
      expect(isAmong(await contradictions(pool), damage)).toBe(true);
      return;
    }
    await using guarded = await bare.withOnly(guard);
    const { session, attempt } = guarded;
    expectRefusedBy(guard, [await attempt(by(hall))]);
    expect(await found(session, damage)).toBe(false);
    await guarded.dropGuard();
    expect(await attempt(by(hall))).toBeUndefined();
    expect(await found(session, damage)).toBe(true);
  });
});

describe('the ledger', () => {
  test('does not accept a transaction in halves by two concurrent writers', async () => {
    await using database = await bare.copyWithOnly('ledger_entries_sum_to_zero');
    const halves = [entry(`'${hall.payment}'`, 5), entry(`'${hall.payment}'`, -5)] as const;
    const refused = await inTwoSessions(database.pool, halves);
    expect(refused.map((error) => error?.message)).toEqual([
      `ledger transaction ${hall.payment} sums to 5, not 0`,
      `ledger transaction ${hall.payment} sums to -5, not 0`,
    ]);
  });

  test('moves the balance with each entry, concurrent ones included, without any other guard', async () => {
    await using database = await bare.copyWithOnly(KEEPS_THE_SUM);
    const { pool } = database;
    const add = (amount: number) =>
      `INSERT INTO ledger_entries (transaction_id, account, user_id, amount)
       VALUES ('${hall.payment}', 'WALLET', '${hall.other}', ${amount})`;
    const unequal = /wallet \S+ has \d+, its entries sum to/;

    expect(await inTwoSessions(pool, [add(5), add(7)])).toEqual([undefined, undefined]);
    expect(isAmong(await contradictions(pool), unequal)).toBe(false);

    await database.dropGuard();
    await pool.query(add(5));
    expect(isAmong(await contradictions(pool), unequal)).toBe(true);
  });
});

/** What an attack does, without its random ids. */
function nameOf({ by, atOnce }: Attack): string {
  const statement = by(hall)
    .replace(/'[^']{36}'/g, '?')
    .replace(/\s+/g, ' ');
  return `${statement.slice(0, 90)}${atOnce ? ', twice at once,' : ''}`;
}

/** The constraint that an error is about; a trigger of ours names none. */
function guardOf(error: Error | undefined): string | undefined {
  if (error instanceof DatabaseError && error.code?.startsWith('23') && error.code !== '23502') return error.constraint;
  return `no guard: ${error?.message}`;
}

/** One attack of these was refused, by this guard; the others were not. */
function expectRefusedBy(guard: string, outcomes: readonly (Error | undefined)[]): void {
  expect(outcomes.filter(Boolean).map((error) => guardOf(error) ?? guard)).toEqual([guard]);
}

async function found(session: ClientBase, damage: Attack['damage']): Promise<boolean> {
  if (typeof damage === 'function') return (await session.query(damage(hall))).rows.length > 0;
  return isAmong(await contradictionsIn(session), damage);
}

const isAmong = (lines: readonly string[], damage: RegExp) => lines.some((line) => damage.test(line));
