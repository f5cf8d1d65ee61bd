import { v7 as newId } from 'uuid';
import { postgresBoxOffice } from '#adapters/postgres/box-office.ts';
import type { Postgres } from '#adapters/postgres/client.ts';
import { postgresConcerts } from '#adapters/postgres/concerts.ts';
import { postgresDeliveries } from '#adapters/postgres/deliveries.ts';
import { postgresEvents } from '#adapters/postgres/events.ts';
import { postgresLines } from '#adapters/postgres/lines.ts';
import { postgresRecords } from '#adapters/postgres/records.ts';
import { postgresWallets } from '#adapters/postgres/wallets.ts';
import {
  chargeId,
  concertDate,
  concertId,
  endpointId,
  paymentId,
  refundId,
  reservationId,
  userId as toUserId,
} from '#domain/ids.ts';
import type { HoldOrder } from '#ports/box-office.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import type { Command } from './explainer.ts';
import { concertIdOf, endpointIdOf, paymentIdOf, reservationIdOf, userIdOf } from './fill-books.ts';

const BATCH = 100;
const PAGE = { limit: 20 };
const BALANCE_MAX = 1_000_000_000;

/** What the service asks of Postgres all day, by name, each through its adapter as the service asks it. */
export async function hotCommands(postgres: Postgres): Promise<Readonly<Record<string, Command>>> {
  const { pool } = postgres;
  const { rows } = await pool.query<
    Record<'concert' | 'user' | 'date' | 'paidBy' | 'reservation' | 'payment' | 'endpoint', string>
  >(
    `SELECT ${concertIdOf('1')} AS concert, ${userIdOf('1')} AS "user", max(date)::text AS date,
       ${reservationIdOf('1')} AS reservation, ${paymentIdOf('1')} AS payment, ${endpointIdOf('1')} AS endpoint,
       (SELECT user_id FROM reservations WHERE reservation_id = ${reservationIdOf('1')}) AS "paidBy"
     FROM concert_dates WHERE concert_id = ${concertIdOf('1')}`,
  );
  const known = rows[0];
  if (known === undefined) throw new Error('the books are empty');
  const [concert, user, paidBy] = [concertId(known.concert), toUserId(known.user), toUserId(known.paidBy)];
  const date = concertDate(known.date);
  const endpoint = endpointId(known.endpoint);
  const place = { concertId: concert, userId: user, sequence: 1, epoch: 'AAAAAAAA' };

  const boxOffice = postgresBoxOffice(postgres);
  const wallets = postgresWallets(postgres);
  const events = postgresEvents(postgres);
  const deliveries = postgresDeliveries(postgres);
  // Anew each time: these remember for a moment what they read.
  const concerts = () => postgresConcerts(postgres, POLICY);
  const request = (key: string) => ({ userId: user, key, fingerprint: key });
  /** Of two seats that nobody ever had. */
  function order(id = newId()): HoldOrder {
    const { holdSeconds, seatsPerUserMax } = POLICY;
    const seats = { concertId: concert, date, seatNumbers: [2, 4] };
    const terms = { holdSeconds, seatsPerUserMax, strandedSeats: 'off' as const };
    return { ...seats, ...terms, userId: user, reservationId: reservationId(id), place, request: request('hold') };
  }
  let held = reservationId(newId());
  const hold = async () => {
    held = reservationId(newId());
    await boxOffice.hold(order(held));
  };
  const pay = () =>
    boxOffice.pay({ paymentId: paymentId(newId()), reservationId: held, place, request: request('pay') });
  const holdAndPay = async () => {
    await hold();
    await pay();
  };
  const cancel = () =>
    boxOffice.cancel({
      refundId: refundId(newId()),
      reservationId: held,
      refundUntilSeconds: 0,
      request: request('cancel'),
    });

  return {
    'hold two seats': { run: hold },
    'hold two seats that somebody has': { run: () => boxOffice.hold({ ...order(), seatNumbers: [1, 3] }) },
    'hold the best two seats, as the last resort': {
      run: () => boxOffice.holdBest({ ...order(), wish: { quantity: 2, section: undefined, grade: undefined } }),
    },
    pay: { given: hold, run: pay },
    'pay again with the same key': { given: holdAndPay, run: pay },
    'extend a hold': {
      given: hold,
      run: () =>
        boxOffice.extend({
          reservationId: held,
          place,
          holdSeconds: POLICY.holdSeconds + 1,
          holdSecondsMax: 2 * POLICY.holdSeconds,
          request: request('extend'),
        }),
    },
    'release a hold': { given: hold, run: () => boxOffice.release(user, held) },
    'cancel what was paid': { given: holdAndPay, run: cancel },
    'charge a balance': {
      run: () =>
        wallets.charge({
          chargeId: chargeId(newId()),
          amount: 1_000,
          balanceMax: BALANCE_MAX,
          request: request('charge'),
        }),
    },
    'read a balance': { run: () => wallets.find(user) },
    'list ledger entries': { run: () => wallets.listEntries(user, PAGE) },
    'list my reservations': { run: () => boxOffice.listReservations(user, PAGE) },
    'read one of my reservations': {
      run: () => boxOffice.findReservation(paidBy, reservationId(known.reservation)),
    },
    'list my payments': { run: () => boxOffice.listPayments(user, PAGE) },
    'read one of my payments': { run: () => boxOffice.findPayment(paidBy, paymentId(known.payment)) },
    'find a concert': { run: () => concerts().find(concert) },
    'list dates': { run: () => concerts().listDates(concert) },
    'list the seats of a date': { run: () => concerts().listSeats(concert, date) },
    'list the free seats of a date': { run: () => concerts().listFreeSeats(concert, date) },
    'count the seats left of a concert': { run: () => concerts().seatsLeft(concert) },
    'expire lapsed holds': { run: () => boxOffice.expireLapsed(BATCH) },
    'forget old answers': { run: () => boxOffice.forgetAnswers(BATCH) },
    'take aftermaths': { run: () => boxOffice.takeAftermaths(BATCH) },
    'list the dates with holds, to put marks back': { run: () => boxOffice.listDatesHeld() },
    'list the holds of a date, to put marks back': {
      run: () => boxOffice.listHeld({ concertId: concert, date }, { after: 0, max: BATCH }),
    },
    'find holds by seat, to put marks back': { run: () => boxOffice.findHeld({ concertId: concert, date }, [1, 3, 5]) },
    'relay events': {
      run: async () => {
        const batch = await events.take(BATCH);
        if (batch !== undefined) await events.settle(batch);
      },
    },
    'forget old events': { run: () => events.forget(0, BATCH) },
    'list endpoints with something due': { run: () => deliveries.listDue() },
    'take deliveries of an endpoint': { run: () => deliveries.take(endpoint, BATCH) },
    'list deliveries of an endpoint': { run: () => deliveries.list(endpoint, PAGE) },
    'find a session on record': { run: () => postgresLines(postgres).findSession(place, POLICY.sessionSeconds) },
    'list the history of a seat': {
      run: () => postgresRecords(postgres).listSeatHistory({ concertId: concert, date, seatNumber: 1 }, PAGE),
    },
    'open a line': { run: () => postgresLines(postgres).open(concert) },
  };
}
