import { v7 as newId } from 'uuid';
import { afterAll, describe, expect, it } from 'vitest';
import { postgresBoxOffice } from '#adapters/postgres/booking/box-office.ts';
import { askOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import { postgresWallets } from '#adapters/postgres/wallet/wallets.ts';
import { paymentId } from '#domain/ids.ts';
import { bestSeatsContract } from '#tests/contracts/best-seats-contract.ts';
import { boxOfficeContract } from '#tests/contracts/box-office-contract.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { frozenPriceContract } from '#tests/contracts/frozen-price-contract.ts';
import { heldSeatsContract } from '#tests/contracts/held-seats-contract.ts';
import { postgresHarness } from '#tests/contracts/postgres-harness.ts';
import { openBoxOffice } from '#tests/contracts/store-harness.ts';
import { endHoldIn } from '#tests/support/box-offices.ts';
import { openPostgres } from '#tests/support/open-postgres.ts';
import { outcomeOf } from '#tests/support/outcome.ts';
import { until } from '#tests/support/until.ts';

const harness = await postgresHarness();
const { boxOffice, postgres, databaseUrl } = harness;

boxOfficeContract(harness);
bestSeatsContract(harness, 15);
frozenPriceContract({
  ...harness,
  reprice: async ({ concertId }, price) => {
    await postgres.pool.query('UPDATE seats SET price = $2 WHERE concert_id = $1', [concertId, price]);
  },
});
heldSeatsContract(harness);

async function waitingForLocks(): Promise<number | null> {
  const { rowCount } = await postgres.pool.query(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rowCount;
}

describe('a payment that begins before the deadline and ends after it', () => {
  it('counts against the limit of seats for a hold of the same user in between', async () => {
    const { concert, user, orderOf, placeOf, hold, statuses } = await openBoxOffice(harness);
    const fan = await user(100_000);
    const held = await hold(fan, 1, 2, 3, 4);
    const till = await postgres.pool.connect();
    const { epoch, sequence } = placeOf(fan);
    let wanted: Promise<string> | undefined;
    try {
      // The deadline is as near as this machine can still make it.
      for (let milliseconds = 100, paid = false; !paid; milliseconds *= 2) {
        await endHoldIn(postgres.pool, held.reservationId, milliseconds);
        await till.query('BEGIN');
        const order = [newId(), fan, concert.concertId, held.reservationId, sequence, epoch, 'paid', 'asked'] as const;
        const [row] = await askOf(till)(functions.payReservation, ...order);
        paid = row !== undefined && 'answer' in row.reply;
        if (!paid) await till.query('ROLLBACK');
      }
      await till.query('SELECT pg_sleep_until(held_until) FROM reservations WHERE reservation_id = $1', [
        held.reservationId,
      ]);

      let done = false;
      wanted = outcomeOf(boxOffice.hold(orderOf(fan, [5]))).finally(() => {
        done = true;
      });
      await until('the hold waits for the payment, or does not', async () => done || (await waitingForLocks()) === 1);
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
  ])('that JSON cannot represent is refused: number %s at %s', async (seatNumber, price) => {
    const { concert, date } = await openBoxOffice(harness);
    const seat = 'INSERT INTO seats (concert_id, date, seat_number, price) VALUES ($1, $2, $3, $4)';
    const write = (number: unknown, at: unknown) => postgres.pool.query(seat, [concert.concertId, date, number, at]);
    await expect(write(seatNumber, price)).rejects.toThrow(/seats_(number|price)_bounds/);
    await write(1_000_000, Number.MAX_SAFE_INTEGER);
  });
});

describe('a busy or unavailable box office', () => {
  const impatientPostgres = openPostgres(databaseUrl, { lockTimeoutMs: 150 });
  afterAll(impatientPostgres.close);
  /** Refused soon where another one holds a lock. */
  const impatient = {
    ...harness,
    boxOffice: postgresBoxOffice(impatientPostgres),
    wallets: postgresWallets(impatientPostgres),
  };

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
    const { user, orderOf, payOrderOf, hold, charge, extend, cancel } = await openBoxOffice(impatient);
    const fan = await user(10_000);
    const order = orderOf(fan, [1]);
    const held = await hold(fan, 2);
    const payment = payOrderOf(held, order.request);
    await during(functions.recallAnswer.text, [fan, order.request.key, order.request.fingerprint], async () => {
      await expectRefusal(impatient.boxOffice.hold(order), 'idempotency-key-in-use');
      await expectRefusal(impatient.boxOffice.pay(payment), 'idempotency-key-in-use');
      await expectRefusal(charge(fan, 1, order.request), 'idempotency-key-in-use');
      await expectRefusal(extend(held, { request: order.request }), 'idempotency-key-in-use');
      await expectRefusal(cancel(held, { request: order.request }), 'idempotency-key-in-use');
    });
    expect(await impatient.boxOffice.hold(order)).toMatchObject({ outcome: 'held', replayed: false });
  });

  it('waits for a request under way before it says whether it has its answer', async () => {
    const { user, orderOf } = await openBoxOffice(harness);
    const { request } = orderOf(await user(), [1]);
    const order: string[] = [];
    let known: Promise<unknown> | undefined;
    await during(functions.recallAnswer.text, [request.userId, request.key, 'asked'], async () => {
      known = boxOffice.knows(request).then((answer) => order.push(`known: ${answer}`));
      await until('it waits, or does not', async () => order.length > 0 || (await waitingForLocks()) === 1);
      order.push('still under way');
    });
    await known;
    expect(order).toEqual(['still under way', 'known: false']);
  });

  it('is busy, and does nothing, while another transaction keeps the seats locked', async () => {
    const { concert, user, orderOf, hold, pay, extend, cancel, statuses, balanceOf } = await openBoxOffice(impatient);
    const fan = await user(10_000);
    const held = await hold(fan, 1);
    const lock = 'SELECT FROM seats WHERE concert_id = $1 FOR UPDATE';
    await during(lock, [concert.concertId], async () => {
      await expectRefusal(impatient.boxOffice.hold(orderOf(fan, [2])), 'busy');
      await expectRefusal(pay(held), 'busy');
      await expectRefusal(extend(held), 'busy');
      await expectRefusal(impatient.boxOffice.release(fan, held.reservationId), 'busy');
      await expectRefusal(cancel(held), 'busy');
    });
    expect(await balanceOf(fan)).toBe(10_000);
    expect((await statuses())?.slice(0, 2)).toEqual(['HELD', 'AVAILABLE']);
  });

  it('skips locked rows when it tidies up', async () => {
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

  it('is unavailable when Postgres does not answer', async () => {
    const nowhere = new URL(databaseUrl);
    nowhere.port = '1';
    const away = openPostgres(nowhere.href, { poolMax: 1 });
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
