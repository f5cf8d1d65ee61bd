import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { describe, expect, test } from 'vitest';
import { askOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import { type ConcertId, refundId, reservationId } from '#domain/ids.ts';
import type { EntryId } from '#domain/queue/queue.ts';
import type { BoxOffice } from '#ports/booking/box-office.ts';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { contradictions, holdings } from '#tests/support/books.ts';
import { endHoldIn, heldAt, holdAt, newRequest, payAt, placeOf, threeBoxOffices } from '#tests/support/box-offices.ts';
import { type Client, tally } from '#tests/support/client/client.ts';
import { closingIn } from '#tests/support/closing-in.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { makeUsers, openHall, PRICE } from '#tests/support/hall.ts';
import { inParallel } from '#tests/support/in-parallel.ts';
import { outcomeOf } from '#tests/support/outcome.ts';
import { withStartingGun } from '#tests/support/starting-gun.ts';
import { until } from '#tests/support/until.ts';
import { letIn, sharedWorld } from '#tests/support/world.ts';

/** Pairs that meet. */
const AT_ONCE = 10;
const world = await sharedWorld();
/** Of the box offices below HTTP. */
const databaseUrl = await freshDatabase();

describe('instances side by side', () => {
  test('refund a reservation once, though twenty different requests cancel it at once', async () => {
    const { fan, reservation } = await buyer();

    const seats = 'FROM seats WHERE reservation_id = $1';
    const answers = await withStartingGun(world.pool, seats, [reservation], 10, () =>
      Promise.all(Array.from({ length: 20 }, () => fan.cancel(reservation))),
    );

    expect(tally(answers)).toEqual({ 201: 1, '409 already-cancelled': 19 });
    expect(await holdings(world.pool, fan.userId)).toEqual({ balance: 5 * PRICE, payments: 1, seats: 0 });
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('add a refund and concurrent charges up to their exact sum', async () => {
    const { fan, reservation } = await buyer();

    const wallet = 'FROM wallets WHERE user_id = $1';
    const answers = await withStartingGun(world.pool, wallet, [fan.userId], 10, () =>
      Promise.all([fan.cancel(reservation), ...Array.from({ length: 50 }, (_, index) => fan.charge(index + 1))]),
    );

    expect(tally(answers)).toEqual({ 201: 51 });
    const balance = 5 * PRICE + (50 * 51) / 2;
    expect(await fan.balance()).toBe(balance);
    expect((await balancesTold(world.pool, fan.userId)).at(-1)).toBe(balance);
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('sell refunded seats again at once, to one of the crowd, and keep their history', async () => {
    const { concert, fan, reservation } = await buyer();
    const crowd = await world.fans(20, { balance: PRICE });
    await letIn(crowd, concert);
    expect(tally(await Promise.all(crowd.map((other) => other.reserve([1]))))).toEqual({ '409 seat-taken': 20 });

    expect((await fan.cancel(reservation)).status).toBe(201);
    const answers = await Promise.all(crowd.map((other) => other.reserve([1])));

    expect(tally(answers)).toEqual({ 201: 1, '409 seat-taken': 19 });
    const won = answers.findIndex(({ status }) => status === 201);
    const [winner, resold = ''] = [crowd[won], answers[won]?.body.reservationId];
    expect((await winner?.pay(resold))?.status).toBe(201);
    const { rows } = await world.pool.query(
      `SELECT user_id, status FROM reservation_seats JOIN reservations USING (reservation_id, status)
       WHERE reservation_seats.concert_id = $1 AND seat_number = 1 ORDER BY fence`,
      [concert],
    );
    expect(rows).toEqual([
      { user_id: fan.userId, status: 'CANCELLED' },
      { user_id: winner?.userId, status: 'CONFIRMED' },
    ]);
    expect(await contradictions(world.pool)).toEqual([]);
  });

  /** Somebody who had money for five seats, and has paid for two of them. */
  async function buyer(): Promise<{ concert: ConcertId; fan: Client; reservation: string }> {
    const concert = await world.openHall();
    const fan = await world.fan({ balance: 5 * PRICE });
    await letIn([fan], concert);
    const reservation = await fan.hold(1, 2);
    expect((await fan.pay(reservation)).status).toBe(201);
    return { concert, fan, reservation };
  }

  auditAtTheEnd(world);
});

/** What the balance of a user was after each entry, in their order. */
async function balancesTold(pool: Pool, userId: string): Promise<number[]> {
  const { rows } = await pool.query<{ told: string }>(
    'SELECT balance_after AS told FROM ledger_entries WHERE user_id = $1 ORDER BY entry_id',
    [userId],
  );
  return rows.map(({ told }) => Number(told));
}

// Below HTTP, where nothing of the line or of Redis decides who comes first.
describe('three box offices on one database', async () => {
  const { officeFor, pool } = await threeBoxOffices(databaseUrl);

  const cancel = (office: BoxOffice, entry: EntryId, id: string) =>
    office.cancel({
      ...{ refundId: refundId(randomUUID()), reservationId: reservationId(id), refundUntilSeconds: 0 },
      request: newRequest(entry),
    });
  const extend = (office: BoxOffice, entry: EntryId, id: string) =>
    office.extend({
      ...{ reservationId: reservationId(id), entry, holdSeconds: 300, holdSecondsMax: 600 },
      request: newRequest(entry),
    });

  test('let payment and cancellation race: the user ends with either the seats or the money', async () => {
    const ROUNDS = 40;
    const concertId = await openHall(pool, { seats: ROUNDS });
    const users = await makeUsers(pool, ROUNDS, PRICE);

    const met = await inParallel(users, AT_ONCE, async (user, round) => {
      const entry = placeOf(concertId, user);
      const id = await heldAt(officeFor(round), entry, round + 1);
      const payFirst = round % 2 === 0;
      const paying = () => outcomeOf(payAt(officeFor(round), entry, id));
      const cancelling = () => outcomeOf(cancel(officeFor(round + 1), entry, id));
      const [one, other] = await Promise.all(payFirst ? [paying(), cancelling()] : [cancelling(), paying()]);
      const [paid, cancelled] = payFirst ? [one, other] : [other, one];

      // Nobody else wants the reservation: it is cancelled, before it was paid or after.
      expect(cancelled).toBe('done');
      expect(['done', 'reservation-not-held']).toContain(paid);
      const payments = paid === 'done' ? 1 : 0;
      expect(await holdings(pool, entry.userId)).toEqual({ balance: PRICE, payments, seats: 0 });
      return paid;
    });

    expect([...new Set(met)].sort()).toEqual(['done', 'reservation-not-held']);
    expect(await contradictions(pool)).toEqual([]);
  });

  test('number a refund and a charge in the order in which they move the balance, though the refund began first and waits', async () => {
    const concertId = await openHall(pool);
    const entry = placeOf(concertId, ...(await makeUsers(pool, 1, PRICE)));
    const id = await heldAt(officeFor(0), entry, 1);
    await payAt(officeFor(0), entry, id);

    // A charge that has the wallet and has written nothing yet.
    const charge = await pool.connect();
    try {
      await charge.query('BEGIN');
      await charge.query('SELECT FROM wallets WHERE user_id = $1 FOR UPDATE', [entry.userId]);
      const { rows } = await charge.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const refund = outcomeOf(cancel(officeFor(1), entry, id));
      await until('the refund waits for the charge', async () => {
        const waiting = 'SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))';
        return (await pool.query(waiting, [rows[0]?.pid])).rows.length > 0;
      });
      const order = [randomUUID(), entry.userId, 50, 1_000_000_000, 'charge', 'asked'] as const;
      await askOf(charge)(functions.chargeBalance, ...order);
      await charge.query('COMMIT');
      expect(await refund).toBe('done');
    } finally {
      charge.release(true);
    }
    expect(await balancesTold(pool, entry.userId)).toEqual([PRICE, 0, 50, PRICE + 50]);
  });

  test('let a refund and the next buyer race: the buyer gets the seat after the refund, and never before', async () => {
    const ROUNDS = 40;
    const concertId = await openHall(pool, { seats: ROUNDS });
    const owners = await makeUsers(pool, ROUNDS, PRICE);
    const takers = await makeUsers(pool, ROUNDS, PRICE);

    const met = await inParallel(owners, AT_ONCE, async (ownerId, round) => {
      const [owner, taker] = [placeOf(concertId, ownerId), placeOf(concertId, takers[round])];
      const id = await heldAt(officeFor(round), owner, round + 1);
      await payAt(officeFor(round), owner, id);

      const cancelling = () => outcomeOf(cancel(officeFor(round), owner, id));
      const taking = () => holdAt(officeFor(round + 1), taker, round + 1);
      const takeFirst = round % 2 === 0;
      const early = takeFirst ? taking() : undefined;
      const [cancelled, taken] = await Promise.all([cancelling(), early ?? taking()]);
      expect(cancelled).toBe('done');
      expect(await holdings(pool, owner.userId)).toEqual({ balance: PRICE, payments: 1, seats: 0 });
      if (taken.outcome === 'taken') {
        expect(taken.occupied).toMatchObject([{ by: { userId: owner.userId, reservationId: id } }]);
        return 'too early';
      }
      await payAt(officeFor(round + 2), taker, taken.answer.reservationId);
      expect(await holdings(pool, taker.userId)).toEqual({ balance: 0, payments: 1, seats: 1 });
      return 'resold';
    });

    expect([...new Set(met)].sort()).toEqual(['resold', 'too early']);
    expect(await contradictions(pool)).toEqual([]);
  });

  test('let an extension and the next buyer race at the deadline: never both, never neither', async () => {
    const ROUNDS = 60;
    const deadline = closingIn();
    const concertId = await openHall(pool, { seats: ROUNDS });
    const holders = await makeUsers(pool, ROUNDS);
    const takers = await makeUsers(pool, ROUNDS);

    const met = await inParallel(holders, AT_ONCE, async (holderId, round) => {
      const [holder, taker] = [placeOf(concertId, holderId), placeOf(concertId, takers[round])];
      const id = await heldAt(officeFor(round), holder, round + 1);
      await endHoldIn(pool, id, deadline.milliseconds());

      const [extended, taken] = await Promise.all([
        outcomeOf(extend(officeFor(round), holder, id)),
        takeOnceFree(officeFor(round + 1), taker, round + 1),
        officeFor(round + 2).expireLapsed(500),
      ]);

      expect(extended).toBe(taken ? 'hold-expired' : 'done');
      if (taken) deadline.tooLate();
      else deadline.inTime();
      return extended;
    });

    expect([...new Set(met)].sort()).toEqual(['done', 'hold-expired']);
    expect(await contradictions(pool)).toEqual([]);
  });

  /** Whether the taker got the seat; not, if its holder has it for long. */
  async function takeOnceFree(office: BoxOffice, taker: EntryId, seatNumber: number): Promise<boolean> {
    let taken = false;
    await until('the next buyer has the seat, or its hold is extended', async () => {
      const outcome = await holdAt(office, taker, seatNumber);
      taken = outcome.outcome === 'held';
      return (
        outcome.outcome === 'held' || outcome.occupied.every(({ forMilliseconds = 0 }) => forMilliseconds > 60_000)
      );
    });
    return taken;
  }
});
