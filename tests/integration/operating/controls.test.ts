import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { holds } from '#adapters/postgres/booking/holds.ts';
import { queueKey, queueKeys } from '#adapters/redis/keys.ts';
import { scripts } from '#adapters/redis/scripts.ts';
import type { OrphanSeats } from '#domain/booking/best-seats.ts';
import { concertId, paymentId, refundId, reservationId, userId } from '#domain/ids.ts';
import { contradictions } from '#tests/support/books.ts';
import { copyDatabase } from '#tests/support/database.ts';
import { DATE, makeUsers, openHall, PRICE } from '#tests/support/hall.ts';
import { outcomeOf } from '#tests/support/outcome.ts';
import { realPorts } from '#tests/support/real-ports.ts';
import { type Change, changeFunction, replaced } from '#tests/support/replaced.ts';
import { withStartingGun } from '#tests/support/starting-gun.ts';
import { until } from '#tests/support/until.ts';

// Takes a guard away and shows that what the race tests look for then happens: that they can fail, and that the guards
// below the one taken away hold by themselves.

/** Between looking and acting: nobody acts before all have looked, and are let go. */
const GATE = 'PERFORM FROM gate FOR SHARE;';
const SEATS_UNLOCKED: Change = [/PERFORM 1 FROM seats\s+WHERE[^;]+FOR UPDATE;/, ''];
/** The limit row lets one command of a user at a time through, for the same date: it would hide what is missing below. */
const BUYER_UNLOCKED: Change = [/PERFORM 1 FROM buyers\s+WHERE[^;]+FOR UPDATE;/, ''];
const RESERVATION_UNLOCKED: Change = [/(SELECT \* INTO v_reservation FROM reservations WHERE[^;]+) FOR UPDATE;/, '$1;'];
const WALLET_UNLOCKED: Change = [/((SELECT balance|PERFORM 1)[^;]* FROM wallets WHERE[^;]+) FOR UPDATE;/, '$1;'];
/** After choosing them, or after looking at those beside them. */
const LATE_CHOICE: Change = [/v_reply := hold_(chosen_)?seats\(/, `${GATE} $&`];
const ROWS_UNLOCKED: Change = [/PERFORM lock_rows[^;]+;/, ''];
const DATE_UNLOCKED: Change = [/PERFORM pg_advisory_xact_lock\([^;]+, 2\)\);/, ''];
const ONE_LOOK: Change = [/(EXCEPTION WHEN SQLSTATE 'FR001' THEN\s+v_block := )[^;]+;/, '$1NULL;'];
const LATE_HOLD: Change = [/INSERT INTO reservations /, `${GATE} $&`];
const LATE_PAYMENT: Change = [/INSERT INTO ledger_transactions /, `${GATE} $&`];

const holdUnlocked = { name: 'hold_seats', changes: [SEATS_UNLOCKED, LATE_HOLD] };
const payUnlocked = {
  name: 'pay_reservation',
  changes: [BUYER_UNLOCKED, SEATS_UNLOCKED, RESERVATION_UNLOCKED, WALLET_UNLOCKED, LATE_PAYMENT],
};
const cancelUnlocked = {
  name: 'cancel_reservation',
  changes: [SEATS_UNLOCKED, RESERVATION_UNLOCKED, WALLET_UNLOCKED, LATE_PAYMENT],
};
/** The seats are different ones and so are the reservations: the wallet alone is what these payments have in common. */
const walletUnlocked = { name: 'pay_reservation', changes: [BUYER_UNLOCKED, WALLET_UNLOCKED, LATE_PAYMENT] };

const ONE_LIVE = 'DROP INDEX reservation_seats_one_live';
const ONE_PAYMENT = 'DROP INDEX payments_reservation_id_key';
const ONE_REFUND = 'DROP INDEX refunds_payment_id_key';
const NOT_NEGATIVE = `ALTER TABLE wallets DROP CONSTRAINT wallets_balance_not_negative;
  ALTER TABLE payments DROP CONSTRAINT payments_balance_not_negative`;

const mendable = await breakable();
afterAll(mendable.drop);

describe('holding without the row lock', () => {
  test('and without the index sells a seat several times', async () => {
    await using broken = await breakDatabase({ ...holdUnlocked, also: ONE_LIVE });
    const { concert, users } = await broken.people(8);
    const outcomes = await broken.atOnce(users.map((id) => () => broken.hold(concert, id, 1)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(1);
    expect(await contradictions(broken.pool)).toContainEqual(
      expect.stringMatching(/seat 1 of \S+ has \d live reservations/),
    );
  });

  test('is stopped by the index', async () => {
    await using broken = await breakDatabase(holdUnlocked);
    const { concert, users } = await broken.people(8);
    const outcomes = await broken.atOnce(users.map((id) => () => broken.hold(concert, id, 1)));
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.constraint] : []));
    expect(failures).toEqual(Array(7).fill('reservation_seats_one_live'));
    expect(await contradictions(broken.pool)).toEqual([]);
  });
});

describe('holding the best seats with one look', () => {
  test('refuses users while there are seats left for all of them', async () => {
    await using broken = await breakDatabase({
      name: 'hold_best_seats',
      changes: [DATE_UNLOCKED, LATE_CHOICE, ONE_LOOK],
    });
    expect(await holdBestAtOnce(broken)).toContain('no-adjacent-seats');
    expect(await contradictions(broken.pool)).toEqual([]);
  });

  test('and with another look after each loss refuses nobody', async () => {
    await using broken = await breakDatabase({ name: 'hold_best_seats', changes: [DATE_UNLOCKED, LATE_CHOICE] });
    expect(await holdBestAtOnce(broken)).toEqual(Array(8).fill('done'));
    expect(await contradictions(broken.pool)).toEqual([]);
  });

  async function holdBestAtOnce(broken: BrokenDatabase) {
    const { concert, users } = await broken.people(8);
    const outcomes = await broken.atOnce(users.map((id) => () => outcomeOf(broken.holdBest(concert, id, 2))));
    return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  }
});

describe('looking row by row for the best seats while a pair is freed in front and another is taken behind', () => {
  const GATE_KEY = 77_777;
  const AFTER_A_ROW: Change = [
    /IF FOUND THEN\s+RETURN v_block;\s+END IF;/,
    `$& PERFORM pg_advisory_xact_lock(${GATE_KEY});`,
  ];

  test.each([
    [
      'in several snapshots refuses the client, though there was a pair at every moment',
      [/\bSTABLE\b/, 'VOLATILE'],
      'no-adjacent-seats',
    ],
    ['in one snapshot finds a pair', [/\bSTABLE\b/, 'STABLE'], 'done'],
  ] as const)('%s', async (_, volatility, outcome) => {
    await using broken = await breakDatabase({ name: 'best_block', changes: [AFTER_A_ROW, volatility] });
    const { concert, users } = await broken.people(4);
    const [front, others, behind, asks] = users as [string, string, string, string];
    // Rows of ten: no pair in the first one, and one pair in the second one, which is the last.
    const single = await broken.hold(concert, front, [2]);
    await broken.hold(concert, others, [4, 6, 8, 10, 11, 14, 15, 16, 17, 18, 19, 20]);
    await broken.pool.query(`UPDATE seats SET status = 'BLOCKED' WHERE concert_id = $1 AND seat_number > 20`, [
      concert,
    ]);

    const gate = await broken.pool.connect();
    await gate.query('SELECT pg_advisory_lock($1)', [GATE_KEY]);
    const asked = outcomeOf(broken.holdBest(concert, asks, 2));
    await until('it has looked at the first row', async () => {
      const { rowCount } = await gate.query(
        `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted`,
        [GATE_KEY],
      );
      return rowCount === 1;
    });
    await broken.release(front, single);
    await broken.hold(concert, behind, [12, 13]);
    await gate.query('SELECT pg_advisory_unlock($1)', [GATE_KEY]);
    gate.release();
    expect(await asked).toBe(outcome);
  });
});

describe('holding seats where orphan seats are forbidden', () => {
  test.each([
    ['without the lock on the row leaves an orphan seat', [ROWS_UNLOCKED, LATE_CHOICE], ['done', 'done']],
    ['with it leaves none', [LATE_CHOICE], ['done', 'seat-stranded']],
  ])('%s', async (_, changes, outcomes) => {
    await using broken = await breakDatabase({ name: 'hold_chosen_seats', changes });
    const { concert, users } = await broken.people(2);
    const [one = '', other = ''] = users;
    const held = await broken.atOnce([
      () => outcomeOf(broken.hold(concert, one, [3, 4], 'enforce')),
      () => outcomeOf(broken.hold(concert, other, [6, 7], 'enforce')),
    ]);
    expect(held.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])).toSorted()).toEqual(outcomes);
  });
});

describe('paying without the row locks', () => {
  test('and without the unique payment takes the price several times', async () => {
    await using broken = await breakDatabase({ ...payUnlocked, also: ONE_PAYMENT });
    const outcomes = await payAtOnce(broken);
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(1);
    expect(await contradictions(broken.pool)).toContainEqual(expect.stringMatching(/was paid \d times/));
  });

  test('is stopped by the unique payment', async () => {
    await using broken = await breakDatabase(payUnlocked);
    const outcomes = await payAtOnce(broken);
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.constraint] : []));
    expect(failures).toEqual(Array(7).fill('payments_reservation_id_key'));
    expect(await contradictions(broken.pool)).toEqual([]);
  });

  async function payAtOnce(broken: BrokenDatabase) {
    const { concert, users } = await broken.people(1, 100 * PRICE);
    const [user = ''] = users;
    const reservation = await broken.hold(concert, user, 1);
    return broken.atOnce(Array(8).fill(() => broken.pay(concert, user, reservation)));
  }
});

describe('refunding without the row locks', () => {
  test('and without the unique refund refunds the price several times', async () => {
    await using broken = await breakDatabase({ ...cancelUnlocked, also: ONE_REFUND });
    const outcomes = await cancelAtOnce(broken);
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(1);
    expect(await contradictions(broken.pool)).toContainEqual(expect.stringMatching(/was refunded \d times/));
  });

  test('is stopped by the unique refund', async () => {
    await using broken = await breakDatabase(cancelUnlocked);
    const outcomes = await cancelAtOnce(broken);
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.constraint] : []));
    expect(failures).toEqual(Array(7).fill('refunds_payment_id_key'));
    expect(await contradictions(broken.pool)).toEqual([]);
  });

  async function cancelAtOnce(broken: BrokenDatabase) {
    const { concert, users } = await broken.people(1, 100 * PRICE);
    const [user = ''] = users;
    const reservation = await broken.hold(concert, user, 1);
    await broken.pay(concert, user, reservation);
    return broken.atOnce(Array(8).fill(() => broken.cancel(user, reservation)));
  }
});

describe('paying without the lock on the wallet', () => {
  test('and without the check overdraws it', async () => {
    await using broken = await breakDatabase({ ...walletUnlocked, also: NOT_NEGATIVE });
    const paid = await overspend(broken);
    expect(paid).toBe(8);
    expect(await contradictions(broken.pool)).toContainEqual(expect.stringMatching(/wallet \S+ has -6000/));
  });

  test('is stopped by the check', async () => {
    await using broken = await breakDatabase(walletUnlocked);
    expect(await overspend(broken)).toBe(2);
    // The order in which two entries are numbered and change the wallet is what the lock is for.
    const ofOrder = /the entries up to it sum to/;
    expect((await contradictions(broken.pool)).filter((text) => !ofOrder.test(text))).toEqual([]);
  });

  /** Eight seats with funds for two; answers how many were paid. */
  async function overspend(broken: BrokenDatabase): Promise<number> {
    const { concert, users } = await broken.people(1, 2 * PRICE);
    const [user = ''] = users;
    const reservations: string[] = [];
    for (let seat = 1; seat <= 8; seat++) reservations.push(await broken.hold(concert, user, seat));
    const outcomes = await broken.atOnce(reservations.map((id) => () => broken.pay(concert, user, id)));
    return outcomes.filter(({ status }) => status === 'fulfilled').length;
  }
});

describe('the queue', async () => {
  const connections = Array.from({ length: 8 }, () => new Redis(inject('redisUrl')));
  afterAll(() => Promise.all(connections.map((redis) => redis.quit())));
  const [redis] = connections as [Redis];

  test('with a clock instead of a counter draws a sequence twice', async () => {
    const lua = replaced(scripts.join.lua, [
      [/local drawn = last_drawn\(\)/, 'local drawn = now'],
      [/NUMBER_MAX - drawn/, 'NUMBER_MAX'],
      // A time is no index of the arrays of times.
      [/redis\.call\('SETRANGE', joined[^\n]+/, ''],
      [/redis\.call\('SETRANGE', last_seen, drawn[^\n]+/, ''],
    ]);
    const concert = concertId(randomUUID());
    const keys = queueKeys(concert);
    await redis.eval(scripts.open.lua, keys.length, ...keys, 'epoch', 0, 1, 0, 0, '', 0, '', '');
    // One after the other, and faster than the clock goes on.
    const joins = redis.multi();
    for (let count = 0; count < 200; count++) {
      joins.eval(lua, keys.length, ...keys, 1_000, 0, '', 0, randomUUID());
    }
    const numbers = (await joins.exec())?.map(([, reply]) => reply) ?? [];
    const drawn = numbers.map((reply) => (reply as unknown[])[7]);
    expect(new Set(drawn).size).toBeLessThan(200);
  });

  test('with admission in separate commands exceeds the limit', async () => {
    const concert = concertId(randomUUID());
    const [line, active] = [queueKey(concert, 'waiting'), queueKey(concert, 'active')];
    for (let sequence = 1; sequence <= 100; sequence++) await redis.zadd(line, sequence, `fan ${sequence}`);
    // All have looked before the first one acts.
    const found = await Promise.all(connections.map((connection) => connection.zcard(active)));
    await Promise.all(
      connections.map(async (connection, index) => {
        const room = 5 - (found[index] ?? Number.NaN);
        if (room <= 0) return;
        const admitted = await connection.zpopmin(line, room);
        for (let at = 0; at < admitted.length; at += 2) await connection.zadd(active, 1, admitted[at] ?? '');
      }),
    );
    expect(await redis.zcard(active)).toBeGreaterThan(5);
    await redis.del(line, active);
  });
});

type Breakage = { readonly name: string; readonly changes: readonly Change[]; readonly also?: string };
type BrokenDatabase = Awaited<ReturnType<typeof breakDatabase>>;

async function breakable() {
  const database = await copyDatabase(inject('databaseUrl'), inject('databaseTemplate'));
  const { ports, pool, close } = await realPorts(database.databaseUrl, inject('redisUrl'));
  await pool.query('CREATE TABLE gate AS SELECT 1');
  return { ports, pool, drop: () => close().then(database.drop) };
}

/** A database with a function that has been changed; and with a statement more, which cannot be undone, one of its own. */
async function breakDatabase({ name, changes, also }: Breakage) {
  const { ports, pool, drop } = also === undefined ? mendable : await breakable();
  const mend = await changeFunction(pool, name, changes);
  if (also !== undefined) await pool.query(also);

  const placeOf = (concert: string, user: string) => ({
    userId: userId(user),
    concertId: concertId(concert),
    sequence: 1,
    epoch: 'none',
  });
  const requestOf = (user: string) => ({ userId: userId(user), key: randomUUID(), fingerprint: 'asked' });

  return {
    pool,
    /** Begins all of them, and lets them act once each has looked, or waits for one that has. */
    atOnce: <T>(commands: readonly (() => Promise<T>)[]) =>
      withStartingGun(pool, 'FROM gate', [], commands.length, () =>
        Promise.allSettled(commands.map((command) => command())),
      ),
    async people(count: number, balance = 0) {
      return { concert: await openHall(pool), users: await makeUsers(pool, count, balance) };
    },
    async hold(concert: string, user: string, seats: number | number[], strandedSeats: OrphanSeats = 'off') {
      const outcome = await ports.boxOffice.hold({
        ...placeOf(concert, user),
        date: DATE,
        reservationId: reservationId(randomUUID()),
        seatNumbers: [seats].flat(),
        entry: placeOf(concert, user),
        holdSeconds: 300,
        seatsPerUserMax: 100,
        holdsPerSessionMax: 10_000,
        sessionSeconds: 600,
        strandedSeats,
        request: requestOf(user),
      });
      if (outcome.outcome !== 'held') throw new Error('taken');
      return outcome.answer.reservationId as string;
    },
    release: (user: string, reservation: string) => ports.boxOffice.release(userId(user), reservationId(reservation)),
    /** Each at an instance of its own, as an instance sends one at a time. */
    holdBest: (concert: string, user: string, quantity: number) =>
      holds({ pool }).holdBest({
        ...placeOf(concert, user),
        date: DATE,
        reservationId: reservationId(randomUUID()),
        wish: { quantity },
        entry: placeOf(concert, user),
        holdSeconds: 300,
        seatsPerUserMax: 100,
        holdsPerSessionMax: 10_000,
        sessionSeconds: 600,
        strandedSeats: 'off',
        request: requestOf(user),
      }),
    pay: (concert: string, user: string, reservation: string) =>
      ports.boxOffice.pay({
        paymentId: paymentId(randomUUID()),
        reservationId: reservationId(reservation),
        entry: placeOf(concert, user),
        request: requestOf(user),
      }),
    cancel: (user: string, reservation: string) =>
      ports.boxOffice.cancel({
        refundId: refundId(randomUUID()),
        reservationId: reservationId(reservation),
        refundUntilSeconds: 0,
        request: requestOf(user),
      }),
    async [Symbol.asyncDispose]() {
      await (also === undefined ? mend() : drop());
    },
  };
}
