import { v7 as newId } from 'uuid';
import { beforeAll, describe, expect, it } from 'vitest';
import { postgresBoxOffice } from '#adapters/postgres/box-office.ts';
import { connectPostgres } from '#adapters/postgres/client.ts';
import { paymentId } from '#domain/ids.ts';
import { bestSeatsContract } from '#tests/contracts/best-seats-contract.ts';
import { boxOfficeContract } from '#tests/contracts/box-office-contract.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { frozenPriceContract } from '#tests/contracts/frozen-price-contract.ts';
import { heldSeatsContract } from '#tests/contracts/held-seats-contract.ts';
import { postgresHarness } from '#tests/contracts/postgres-harness.ts';
import { granted, openBoxOffice } from '#tests/contracts/store-harness.ts';
import { outcomeOf } from '#tests/support/outcome.ts';
import { until } from '#tests/support/until.ts';

const harness = await postgresHarness();
const { boxOffice, postgres, databaseUrl } = harness;

boxOfficeContract(harness);
bestSeatsContract(harness);
frozenPriceContract({
  ...harness,
  reprice: async ({ concertId }, price) => {
    await postgres.pool.query('UPDATE seats SET price = $2 WHERE concert_id = $1', [concertId, price]);
  },
});
heldSeatsContract(harness);

describe('a payment that begins before the deadline and ends after it', () => {
  it('counts against the limit of seats, for a hold that the same user makes in between', async () => {
    const { concert, user, orderOf, placeOf, statuses } = await openBoxOffice(harness);
    const fan = await user(100_000);
    const held = granted(await boxOffice.hold(orderOf(fan, [1, 2, 3, 4], { holdSeconds: 1 })));
    const till = await postgres.pool.connect();
    let wanted: Promise<string> | undefined;
    try {
      await till.query('BEGIN');
      const { epoch, sequence } = placeOf(fan);
      const paid = await till.query(`SELECT pay_reservation($1, $2, $3, $4, $5, $6, $7, 'asked') AS reply`, [
        newId(),
        fan,
        concert.concertId,
        held.reservationId,
        sequence,
        epoch,
        'paid',
      ]);
      expect(paid.rows[0].reply).toMatchObject({ replayed: false });
      await till.query('SELECT pg_sleep_until($1)', [held.heldUntil]);

      let done = false;
      wanted = outcomeOf(boxOffice.hold(orderOf(fan, [5]))).finally(() => {
        done = true;
      });
      await until('the hold waits for the payment, or does not', async () => {
        const waiting = await postgres.pool.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return done || waiting.rowCount === 1;
      });
      await till.query('COMMIT');
    } finally {
      till.release();
    }
    expect(await wanted).toBe('seat-limit-reached');
    expect(await statuses()).toEqual(['SOLD', 'SOLD', 'SOLD', 'SOLD', 'AVAILABLE']);
  });
});

describe('a seat', () => {
  it.each([
    [0, 1],
    [1_000_001, 1],
    [1_000_000, -1],
    [1_000_000, '9007199254740992'],
  ])('that no JSON could tell of is not taken down: number %s at %s', async (seatNumber, price) => {
    const { concert, date } = await openBoxOffice(harness);
    const seat = 'INSERT INTO seats (concert_id, date, seat_number, price) VALUES ($1, $2, $3, $4)';
    const write = (number: unknown, at: unknown) => postgres.pool.query(seat, [concert.concertId, date, number, at]);
    await expect(write(seatNumber, price)).rejects.toThrow(/seats_(number|price)_bounds/);
    await write(1_000_000, Number.MAX_SAFE_INTEGER);
  });
});

describe('a box office that cannot serve', () => {
  beforeAll(async () => {
    // How long a command waits for a lock is part of its function. Here nobody has to wait for two seconds.
    const commands = await postgres.pool.query<{ signature: string }>(
      `SELECT oid::regprocedure::text AS signature FROM pg_proc WHERE proconfig::text LIKE '%lock_timeout%'`,
    );
    expect(commands.rowCount).toBeGreaterThan(3);
    for (const { signature } of commands.rows) {
      await postgres.pool.query(`ALTER FUNCTION ${signature} SET lock_timeout = '150ms'`);
    }
  });

  /** While somebody else is in the middle of something. */
  async function during(sql: string, values: unknown[], work: () => Promise<void>): Promise<void> {
    const client = await postgres.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query(sql, values);
      await work();
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  }

  it('refuses a command as in use while the same request is under way', async () => {
    const { user, orderOf, payOrderOf, hold, charge, extend, cancel } = await openBoxOffice(harness);
    const fan = await user(10_000);
    const order = orderOf(fan, [1]);
    const held = await hold(fan, 2);
    const payment = payOrderOf(held, order.request);
    const underWay = 'SELECT recall_answer($1, $2, $3)';
    await during(underWay, [fan, order.request.key, order.request.fingerprint], async () => {
      await expectRefusal(boxOffice.hold(order), 'idempotency-key-in-use');
      await expectRefusal(boxOffice.pay(payment), 'idempotency-key-in-use');
      await expectRefusal(charge(fan, 1, order.request), 'idempotency-key-in-use');
      await expectRefusal(extend(held, { request: order.request }), 'idempotency-key-in-use');
      await expectRefusal(cancel(held, { request: order.request }), 'idempotency-key-in-use');
    });
    expect(await boxOffice.hold(order)).toMatchObject({ outcome: 'held', replayed: false });
  });

  it('waits for a request under way before it says whether it knows its answer', async () => {
    const { user, orderOf } = await openBoxOffice(harness);
    const { request } = orderOf(await user(), [1]);
    const order: string[] = [];
    let known: Promise<unknown> | undefined;
    await during('SELECT recall_answer($1, $2, $3)', [request.userId, request.key, 'asked'], async () => {
      known = boxOffice.knows(request).then((answer) => order.push(`known: ${answer}`));
      // A round trip later it would have been answered, had it not waited.
      await postgres.pool.query('SELECT pg_sleep(0.03)');
      order.push('still under way');
    });
    await known;
    expect(order).toEqual(['still under way', 'known: false']);
  });

  it('is busy, and does nothing, while somebody else does not let go of the seats', async () => {
    const { concert, user, orderOf, hold, pay, extend, cancel, statuses, balanceOf } = await openBoxOffice(harness);
    const fan = await user(10_000);
    const held = await hold(fan, 1);
    const lock = 'SELECT FROM seats WHERE concert_id = $1 FOR UPDATE';
    await during(lock, [concert.concertId], async () => {
      await expectRefusal(boxOffice.hold(orderOf(fan, [2])), 'busy');
      await expectRefusal(pay(held), 'busy');
      await expectRefusal(extend(held), 'busy');
      await expectRefusal(boxOffice.release(fan, held.reservationId), 'busy');
      await expectRefusal(cancel(held), 'busy');
    });
    expect(await balanceOf(fan)).toBe(10_000);
    expect((await statuses())?.slice(0, 2)).toEqual(['HELD', 'AVAILABLE']);
  });

  it('leaves to others what they are working on when it tidies up', async () => {
    const { concert, user, hold } = await openBoxOffice(harness);
    const { concertId } = concert;
    await hold(await user(), 1);
    await hold(await user(), 2);
    await harness.passes(300_000);
    const lock = 'SELECT FROM seats WHERE concert_id = $1 AND seat_number = 1 FOR UPDATE';
    await during(lock, [concertId], async () => {
      expect(await boxOffice.expireLapsed(1_000)).toBeGreaterThanOrEqual(1);
      expect(await boxOffice.expireLapsed(1_000)).toBe(0);
    });
    expect(await boxOffice.expireLapsed(1_000)).toBe(1);
  });

  it('is unavailable when nobody answers', async () => {
    const nowhere = new URL(databaseUrl);
    nowhere.port = '1';
    const away = connectPostgres(
      { url: nowhere.href, poolMax: 1, connectTimeoutMs: 1_000, statementTimeoutMs: 1_000 },
      () => {},
    );
    const { user, orderOf, payOrderOf, extendOrderOf, cancelOrderOf, hold } = await openBoxOffice(harness);
    const fan = await user();
    const { hold: holdAway, pay, extend, release, cancel, findPayment, listReservations } = postgresBoxOffice(away);
    const reservation = await hold(fan, 1);
    const calls = [
      holdAway(orderOf(fan, [2])),
      pay(payOrderOf(reservation)),
      extend(extendOrderOf(reservation)),
      release(fan, reservation.reservationId),
      cancel(cancelOrderOf(reservation)),
      findPayment(fan, paymentId(newId())),
      listReservations(fan, { limit: 1 }),
    ];
    await Promise.all(calls.map((call) => expectRefusal(call, 'unavailable')));
    await away.close();
  });
});
