import { v7 as newId } from 'uuid';
import { postgresBoxOffice } from '#adapters/postgres/booking/box-office.ts';
import { postgresConcerts } from '#adapters/postgres/catalog/concerts.ts';
import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { postgresDeliveries } from '#adapters/postgres/events/deliveries.ts';
import { postgresEvents } from '#adapters/postgres/events/events.ts';
import { postgresQueueRecords } from '#adapters/postgres/queue/postgres-queue-records.ts';
import { postgresRecords } from '#adapters/postgres/records/records.ts';
import { postgresWallets } from '#adapters/postgres/wallet/wallets.ts';
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
import { recordKinds } from '#domain/records/records.ts';
import type { HoldOrder, OutboxMessage } from '#ports/booking/box-office.ts';
import type { DueDelivery } from '#ports/events/deliveries.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import type { Command } from './explainer.ts';
import { concertIdOf, endpointIdOf, paymentIdOf, reservationIdOf, userIdOf } from './fill-books.ts';

const BATCH = 100;
const PAGE = { limit: 20 };
/** Beyond every number that was drawn. */
const FAR = 1_000_000_000;
const BALANCE_MAX = 1_000_000_000;

/** Longer than it takes to fill the books and to measure them. */
const DAY_SECONDS = 86_400;

/** What the service asks of Postgres all day, by name, each through its adapter as the service asks it. */
export async function hotCommands(postgres: Postgres): Promise<Readonly<Record<string, Command>>> {
  const { pool } = postgres;
  const { rows } = await pool.query<
    Record<'concert' | 'user' | 'date' | 'paidBy' | 'reservation' | 'payment' | 'endpoint' | 'holder', string> &
      Record<'held' | 'lapsed' | 'free', number> & { readonly onHold: number[] }
  >(
    `WITH last AS (
       SELECT concert_id, max(date) AS date FROM concert_dates WHERE concert_id = ${concertIdOf('1')} GROUP BY concert_id)
     SELECT concert_id AS concert, date::text, ${userIdOf('1')} AS "user",
       ${reservationIdOf('1')} AS reservation, ${paymentIdOf('1')} AS payment, ${endpointIdOf('1')} AS endpoint,
       (SELECT user_id FROM reservations WHERE reservation_id = ${reservationIdOf('1')}) AS "paidBy",
       -- Of somebody who has paid at other times.
       (SELECT user_id FROM reservations WHERE reservation_id = ${reservationIdOf('98')}) AS holder, 98 AS held,
       (SELECT min(seat_number) FROM seats
         WHERE (concert_id, date) = (last.concert_id, last.date) AND status = 'HELD' AND held_until < clock_timestamp()) AS lapsed,
       ARRAY(SELECT seat_number FROM seats WHERE (concert_id, date) = (last.concert_id, last.date)
         AND status = 'HELD' AND held_until > clock_timestamp() ORDER BY seat_number LIMIT 3) AS "onHold",
       -- At the beginning of a row, and the next one is free, too, and the one after that.
       (SELECT min(seat_number) FROM seats s
         WHERE (concert_id, date) = (last.concert_id, last.date) AND seat_number = row_first AND 3 = (
           SELECT count(*) FROM seats b WHERE (b.concert_id, b.date) = (last.concert_id, last.date)
             AND b.seat_number BETWEEN s.seat_number AND s.seat_number + 2 AND b.status = 'AVAILABLE')) AS free
     FROM last`,
  );
  const known = rows[0];
  if (known === undefined) throw new Error('the books are empty');
  const [concert, user, paidBy] = [concertId(known.concert), toUserId(known.user), toUserId(known.paidBy)];
  const date = concertDate(known.date);
  const endpoint = endpointId(known.endpoint);
  const epoch = 'AAAAAAAA';
  const entry = { concertId: concert, userId: user, sequence: 1, epoch };
  const holder = { concertId: concert, userId: toUserId(known.holder), sequence: known.held, epoch };

  const boxOffice = postgresBoxOffice(postgres);
  const wallets = postgresWallets(postgres);
  const events = postgresEvents(postgres);
  const deliveries = postgresDeliveries(postgres);
  const queueRecords = postgresQueueRecords(postgres);
  const records = postgresRecords(postgres);
  // Anew each time: these remember for a moment what they read.
  const concerts = () => postgresConcerts(postgres, POLICY);
  const request = (key: string) => ({ userId: user, key, fingerprint: key });
  /** Of two seats that nobody ever had. */
  function order(id = newId()): HoldOrder {
    const { holdSeconds, seatsPerUserMax, sessionSeconds } = POLICY;
    const seats = { concertId: concert, date, seatNumbers: [2, 4] };
    const limits = { seatsPerUserMax, sessionSeconds, holdsPerSessionMax: 1_000_000 };
    const terms = { holdSeconds, ...limits, strandedSeats: 'off' as const };
    return { ...seats, ...terms, userId: user, reservationId: reservationId(id), entry, request: request('hold') };
  }
  let held = reservationId(newId());
  const hold = async () => {
    held = reservationId(newId());
    return boxOffice.hold(order(held));
  };
  const pay = () =>
    boxOffice.pay({ paymentId: paymentId(newId()), reservationId: held, entry, request: request('pay') });
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
  /** Leaves a seat single, which is not forbidden here. */
  const holdLeavingOrphan = async () => {
    const stranding = { ...order(), seatNumbers: [known.free + 1], strandedSeats: 'warn' as const };
    const outcome = await boxOffice.hold(stranding);
    return outcome.outcome === 'held' && outcome.answer.strandedSeatNumbers;
  };

  const count = async (from: string, ...values: unknown[]) => {
    const { rows: counted } = await pool.query<{ count: string }>(`SELECT count(*) FROM ${from}`, values);
    return Number(counted[0]?.count);
  };
  const outbox = await count('outbox_messages');
  let messages: readonly OutboxMessage[] = [];
  const takeOutboxMessages = async () => {
    messages = await boxOffice.takeOutboxMessages(BATCH);
    return messages;
  };
  let deliveriesDue: readonly DueDelivery[] = [];
  const takeDeliveries = async () => {
    deliveriesDue = await deliveries.take(endpoint, BATCH);
    return deliveriesDue;
  };
  const happenings = Array.from({ length: BATCH }, (_, index) => ({
    eventId: `${Date.now()}-0-${index}`,
    kind: 'admitted' as const,
    ...{ sequence: FAR + index, order: FAR + index, joinedAt: new Date(), at: new Date() },
  }));
  return {
    'hold two seats': { run: hold },
    'hold two more seats': {
      given: hold,
      run: () => boxOffice.hold({ ...order(), seatNumbers: [6, 8], request: request('more') }),
    },
    'hold a seat that somebody had until now': {
      run: () => boxOffice.hold({ ...order(), seatNumbers: [known.lapsed] }),
    },
    'hold a seat and be warned of the one beside it': { run: holdLeavingOrphan },
    'hold two seats where none may be left single': {
      run: () => boxOffice.hold({ ...order(), seatNumbers: [known.free, known.free + 1], strandedSeats: 'enforce' }),
    },
    'hold two seats that somebody has': { run: () => boxOffice.hold({ ...order(), seatNumbers: [1, 3] }) },
    'hold the best two seats': {
      run: () => boxOffice.holdBest({ ...order(), wish: { quantity: 2, section: undefined, grade: undefined } }),
    },
    pay: { given: hold, run: pay },
    'pay again with the same key': { given: holdAndPay, run: pay },
    'extend a hold': {
      given: hold,
      run: () =>
        boxOffice.extend({
          reservationId: held,
          entry,
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
    'list concerts': { run: () => concerts().list(PAGE) },
    'list the concerts to serve': { run: () => concerts().listServed() },
    'list dates': { run: () => concerts().listDates(concert) },
    'list the seats of a date': { run: () => concerts().listSeats(concert, date) },
    'count the seats left of a concert': { run: () => concerts().seatsLeft(concert) },
    'expire lapsed holds': { run: () => boxOffice.expireLapsed(BATCH) },
    'forget old answers': { run: () => boxOffice.forgetAnswers(BATCH) },
    'take outbox messages': { run: takeOutboxMessages },
    'ack outbox messages': {
      given: takeOutboxMessages,
      run: () => boxOffice.ackOutboxMessages(messages),
      done: async () => (await count('outbox_messages')) === outbox - messages.length,
    },
    'retry outbox messages later': {
      given: takeOutboxMessages,
      run: () => boxOffice.retryOutboxMessages(messages.map(({ messageId }) => messageId)),
      // Those that were only taken come in five.
      done: () =>
        count(
          `outbox_messages WHERE message_id = ANY ($1) AND due_at <= clock_timestamp() + interval '1 s'`,
          messages.map(({ messageId }) => messageId),
        ),
    },
    'note how far a queue has come': {
      run: () => queueRecords.note(concert, { drawn: FAR, head: FAR }),
      done: () => count('queues WHERE concert_id = $1 AND drawn = $2 AND head = $2', concert, FAR),
    },
    'record the events of a queue': {
      run: () => queueRecords.record(concert, happenings),
      done: () => count('queue_events WHERE concert_id = $1 AND sequence >= $2', concert, FAR),
    },
    'find holds by seat, to put hold keys back': {
      run: () => boxOffice.findHeld({ concertId: concert, date }, known.onHold),
    },
    'relay events': {
      run: async () => {
        const batch = await events.take(BATCH);
        return batch !== undefined && events.ack(batch);
      },
    },
    'forget old events, and endpoints that were removed': {
      given: () =>
        pool.query('UPDATE webhook_endpoints SET deleted_at = clock_timestamp() WHERE endpoint_id <> $1', [endpoint]),
      run: () => events.forget(0, BATCH),
    },
    'list endpoints with something due': { run: () => deliveries.listDue() },
    'take deliveries of an endpoint': { run: takeDeliveries },
    'record an attempt at a delivery': {
      given: takeDeliveries,
      run: () =>
        deliveries.recordAttempt(first(deliveriesDue), { status: 200, durationMs: 20 }, { state: 'DELIVERED' }),
      done: () =>
        count(`webhook_deliveries WHERE delivery_id = $1 AND state = 'DELIVERED'`, first(deliveriesDue).deliveryId),
    },
    'list deliveries of an endpoint': { run: () => deliveries.list(endpoint, PAGE) },
    'find a session on record': { run: () => queueRecords.findSession(holder, DAY_SECONDS) },
    'list the history of a seat': {
      run: () => records.listSeatHistory({ concertId: concert, date, seatNumber: 1 }, PAGE),
    },
    ...Object.fromEntries(
      recordKinds.map((kind) => [
        `read a page of ${kind}`,
        { run: async () => (await records.read({ kind }).next()).value },
      ]),
    ),
    'open a queue': { run: async () => (await queueRecords.open(concert)).sessions },
  };
}

function first(deliveriesDue: readonly DueDelivery[]): DueDelivery {
  const [delivery] = deliveriesDue;
  if (delivery === undefined) throw new Error('nothing is due');
  return delivery;
}
