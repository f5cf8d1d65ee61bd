import { describe, expect, test } from 'vitest';
import { reservationId, userId } from '#domain/ids.ts';
import { auditAtTheEnd } from '#tests/support/audit-at-the-end.ts';
import { contradictions, holdings } from '#tests/support/books.ts';
import { endHoldIn, heldAt, holdAt, payAt, placeOf, threeBoxOffices } from '#tests/support/box-offices.ts';
import { tally } from '#tests/support/client/client.ts';
import { closingIn } from '#tests/support/closing-in.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { DATE, lapse, makeUsers, openHall, PRICE } from '#tests/support/hall.ts';
import { inParallel } from '#tests/support/in-parallel.ts';
import { countOf, outcomeOf } from '#tests/support/outcome.ts';
import { takesOnePayment } from '#tests/support/races.ts';
import { realPorts } from '#tests/support/real-ports.ts';
import { withStartingGun } from '#tests/support/starting-gun.ts';
import { until } from '#tests/support/until.ts';
import { letIn, sharedWorld } from '#tests/support/world.ts';

/** Pairs that meet. */
const AT_ONCE = 10;
const world = await sharedWorld();

describe('instances side by side', () => {
  test('take one payment for a reservation that is paid many times at once', () => takesOnePayment(world, 100));

  test('add two hundred charges at once up to their exact sum', async () => {
    const fan = await world.fan();

    const wallet = 'FROM wallets WHERE user_id = $1';
    const answers = await withStartingGun(world.pool, wallet, [fan.userId], 10, (shot) =>
      Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          if (index >= 20) await shot;
          return fan.charge(index + 1);
        }),
      ),
    );

    expect(tally(answers)).toEqual({ 201: 200 });
    expect(await fan.balance()).toBe((200 * 201) / 2);
    // Each was told the balance right after its own: no two the same, the last one the sum.
    const told = answers.map(({ body }) => body.balance ?? Number.NaN);
    expect(new Set(told).size).toBe(200);
    expect(Math.max(...told)).toBe((200 * 201) / 2);
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('refuse a payment after the deadline, and charge nothing', async () => {
    const concert = await world.openHall();
    const fan = await world.fan({ balance: PRICE });
    await letIn([fan], concert);
    const reservation = await fan.hold(1);
    await lapse(world.pool, reservation);

    expect(tally([await fan.pay(reservation)])).toEqual({ '410 hold-expired': 1 });
    expect(await holdings(world.pool, fan.userId)).toEqual({ balance: PRICE, payments: 0, seats: 0 });
    expect(await contradictions(world.pool)).toEqual([]);
  });

  test('refuse a payment for a seat that another user has by now', async () => {
    const concert = await world.openHall();
    const [late, next] = await world.fans(2, { balance: PRICE });
    await letIn([late, next], concert);
    const lost = await late.hold(1);
    await lapse(world.pool, lost);
    // The marks in Redis last as long as the hold was to last: the one who comes next waits for the job to tidy up.
    const { ports, close } = await realPorts(world.databaseUrl, world.redisUrl);
    await ports.holdKeys.release({
      userId: userId(late.userId),
      reservationId: reservationId(lost),
      concertId: concert,
      date: DATE,
      seatNumbers: [1],
    });
    await close();
    const won = await next.hold(1);

    expect(tally(await Promise.all([late.pay(lost), next.pay(won)]))).toEqual({ '410 hold-expired': 1, 201: 1 });
    expect(await holdings(world.pool, late.userId)).toEqual({ balance: PRICE, payments: 0, seats: 0 });
    expect(await holdings(world.pool, next.userId)).toEqual({ balance: 0, payments: 1, seats: 1 });
    expect(await contradictions(world.pool)).toEqual([]);
  });

  auditAtTheEnd(world);
});

// Below HTTP, because there the first payment ends the session, and the one after it would not get as far as the money.
describe('three box offices on one database', async () => {
  const { officeFor, pools, pool } = await threeBoxOffices(await freshDatabase());

  test('pay for as many reservations as the balance allows, out of four times as many', async () => {
    const concertId = await openHall(pool, { seats: 60 });
    const [id = ''] = await makeUsers(pool, 1, 15 * PRICE);
    const entry = placeOf(concertId, id);
    const reservations = await Promise.all(
      Array.from({ length: 60 }, (_, index) => heldAt(officeFor(index), entry, index + 1)),
    );

    const wallet = 'FROM wallets WHERE user_id = $1';
    const outcomes = await withStartingGun(pool, wallet, [id], 20, () =>
      Promise.all(reservations.map((reservation, index) => outcomeOf(payAt(officeFor(index), entry, reservation)))),
    );

    expect(countOf(outcomes)).toEqual({ done: 15, 'insufficient-balance': 45 });
    expect(await holdings(pool, id)).toEqual({ balance: 0, payments: 15, seats: 15 });
    expect(await contradictions(pool)).toEqual([]);
  });

  test('give a seat whose hold is ending either to the payer or to the next buyer: never to both, never to neither', async () => {
    const rounds = 60;
    const concertId = await openHall(pool, { seats: rounds });
    const payers = await makeUsers(pool, rounds, PRICE);
    const takers = await makeUsers(pool, rounds, PRICE);
    const deadlocksBefore = await deadlocks();
    const deadline = closingIn();

    /** Payer, taker and expiry job meet at a deadline. */
    async function meet(round: number): Promise<'payer' | 'taker'> {
      const [payer, taker] = [placeOf(concertId, payers[round]), placeOf(concertId, takers[round])];
      const seat = round + 1;
      const reservation = await heldAt(officeFor(round), payer, seat);
      await endHoldIn(pool, reservation, deadline.milliseconds());

      async function take(): Promise<void> {
        await until('the seat is free or sold', async () => {
          const outcome = await holdAt(officeFor(round + 1), taker, seat);
          return (
            outcome.outcome === 'held' || outcome.occupied.every(({ forMilliseconds }) => forMilliseconds === undefined)
          );
        });
      }
      const expire = () => officeFor(round + 2).expireLapsed(500);
      const [paid] = await Promise.all([
        outcomeOf(payAt(officeFor(round), payer, reservation)),
        take(),
        expire(),
        expire(),
      ]);

      const { rows } = await pool.query<{ status: string; user_id: string }>(
        `SELECT s.status, r.user_id FROM seats s JOIN reservations r USING (reservation_id)
         WHERE s.concert_id = $1 AND seat_number = $2`,
        [concertId, seat],
      );
      const payerWon = paid === 'done';
      if (payerWon) deadline.inTime();
      else deadline.tooLate();
      expect(paid).toBe(payerWon ? 'done' : 'hold-expired');
      expect(rows).toEqual([
        payerWon ? { status: 'SOLD', user_id: payer.userId } : { status: 'HELD', user_id: taker.userId },
      ]);
      expect(await holdings(pool, payer.userId)).toEqual(
        payerWon ? { balance: 0, payments: 1, seats: 1 } : { balance: PRICE, payments: 0, seats: 0 },
      );
      return payerWon ? 'payer' : 'taker';
    }

    const winners = await inParallel(Array.from({ length: rounds }), AT_ONCE, (_, round) => meet(round));

    // Both happened, so there was a race; and nobody had to be freed from a deadlock, which the adapter would hide.
    expect([...new Set(winners)].sort()).toEqual(['payer', 'taker']);
    expect((await deadlocks()) - deadlocksBefore).toBe(0);
    expect(await contradictions(pool)).toEqual([]);
  });

  /** Backends report what they counted within a second, or when they end; so all of them are made to report first. */
  async function deadlocks(): Promise<number> {
    await Promise.all(
      pools.flatMap((one) =>
        Array.from({ length: 10 }, async () => {
          const client = await one.connect();
          await client.query('SELECT pg_stat_force_next_flush()');
          return client;
        }),
      ),
    ).then((clients) => clients.map((client) => client.release()));
    const { rows } = await pool.query<{ deadlocks: number }>(
      'SELECT deadlocks::integer FROM pg_stat_database WHERE datname = current_database()',
    );
    return rows[0]?.deadlocks ?? Number.NaN;
  }
});
