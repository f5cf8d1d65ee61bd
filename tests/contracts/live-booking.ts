import { v7 as newId } from 'uuid';
import type { Reservation } from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import type { Answered, IdempotencyKey } from '#domain/idempotency.ts';
import { chargeId, paymentId, refundId, reservationId } from '#domain/ids.ts';
import { type BookingEvent, balanceOf, HALL, type Model, seatsOf, statusOf, stepsOf } from './booking-model.ts';
import { ask, openBoxOffice, type StoreHarness } from './store-harness.ts';

/** A hall whose box office is asked what the model is asked, and answers in its words. */
export type LiveBooking = {
  happens(event: BookingEvent): Promise<object>;
  /** What there is in the end, as `endOf` has it of a model. */
  end(): Promise<object>;
};

const PLENTY = 10_000;
/** Of a user in a model that small. */
const ALL = { limit: 100 };

/** The same hall as the model's, with users who have as much in their wallets. */
export async function openLiveBooking(harness: StoreHarness): Promise<LiveBooking> {
  const { boxOffice, wallets, passes } = harness;
  const { startsInSeconds, prices, blocked } = HALL;
  const office = await openBoxOffice(harness, {
    dates: [{ startsInMs: startsInSeconds * 1_000, prices, blocked: [...blocked] }],
  });
  const { date } = office;
  const { concertId } = office.concert;
  const users = await Promise.all(Array.from({ length: HALL.users }, () => office.user(HALL.purse)));
  const made = users.map((): Reservation[] => []);
  const userOf = (who: number) => users[who] ?? users[0] ?? fail();

  function requestOf({ who, key, ...rest }: { who: number; key?: number | undefined }): IdempotencyKey {
    return ask(userOf(who), key === undefined ? newId() : `key ${key}`, JSON.stringify(rest));
  }
  function holdOf({ owner, before }: { owner: number; before: number }, who: number) {
    const own = made[owner] ?? [];
    const id = own.at(-1 - (before % own.length))?.reservationId ?? reservationId(newId());
    return { userId: userOf(who), concertId, date, seatNumbers: [], reservationId: id };
  }

  async function answerTo(event: BookingEvent): Promise<object> {
    switch (event.kind) {
      case 'pass':
        await passes(event.steps * HALL.stepSeconds * 1_000);
        return {};
      case 'expire':
        await boxOffice.expireLapsed(PLENTY);
        return {};
      case 'block':
      case 'unblock':
        await boxOffice[event.kind]({ concertId, date, seatNumbers: event.seats });
        return {};
      case 'hold': {
        const order = office.orderOf(userOf(event.who), event.seats, {
          ...{ holdSeconds: HALL.holdSeconds, seatsPerUserMax: HALL.seatsPerUserMax, request: requestOf(event) },
          ...{ holdsPerSessionMax: HALL.holdsPerSessionMax, sessionSeconds: HALL.sessionSeconds },
        });
        const outcome = await boxOffice.hold(order);
        if (outcome.outcome === 'taken') {
          const seatNumbers = outcome.occupied.map(({ seatNumber }) => seatNumber);
          return { refusal: 'seat-taken', seatNumbers };
        }
        if (!outcome.replayed) made[event.who]?.push(outcome.answer);
        return held(outcome);
      }
      case 'extend': {
        const { holdSeconds, holdSecondsMax } = HALL;
        const rest = { holdSeconds, holdSecondsMax, request: requestOf(event) };
        return held(await boxOffice.extend(office.extendOrderOf(holdOf(event.of, event.who), rest)));
      }
      case 'pay': {
        const { reservationId: id } = holdOf(event.of, event.who);
        const { answer, replayed } = await boxOffice.pay({
          ...{ paymentId: paymentId(newId()), reservationId: id },
          ...{ entry: office.placeOf(userOf(event.who)), request: requestOf(event) },
        });
        return { amount: answer.amount, balance: answer.balance, replayed };
      }
      case 'release': {
        const { seatNumbers } = await boxOffice.release(userOf(event.who), holdOf(event.of, event.who).reservationId);
        return { seats: seatNumbers };
      }
      case 'cancel': {
        const { answer, replayed } = await boxOffice.cancel({
          ...{ refundId: refundId(newId()), reservationId: holdOf(event.of, event.who).reservationId },
          ...{ refundUntilSeconds: HALL.refundUntilSeconds, request: requestOf(event) },
        });
        const { status, seatNumbers, amount } = answer.reservation;
        const refunded = answer.refund && { refund: answer.refund.amount, balance: answer.refund.balance };
        return { status, seats: seatNumbers, amount, replayed, ...refunded };
      }
      case 'charge': {
        const { amount } = event;
        const order = { chargeId: chargeId(newId()), amount, balanceMax: HALL.balanceMax };
        const { answer, replayed } = await wallets.charge({ ...order, request: requestOf(event) });
        return { amount: answer.amount, balance: answer.balance, replayed };
      }
    }
  }

  async function userEnd(who: number): Promise<object> {
    const id = userOf(who);
    const [wallet, reservations, payments, entries] = await Promise.all([
      ...[wallets.find(id), boxOffice.listReservations(id, ALL)],
      ...[boxOffice.listPayments(id, ALL), wallets.listEntries(id, ALL)],
    ] as const);
    return {
      balance: wallet?.balance,
      reservations: reservations.items
        .map(({ seatNumbers, status, amount }) => ({ seats: seatNumbers, status, amount }))
        .toReversed(),
      payments: payments.items.length,
      refunded: payments.items.filter(({ refundedAt }) => refundedAt !== undefined).length,
      entries: entries.items.map(({ kind, amount }) => ({ kind, amount })).toReversed(),
    };
  }

  return {
    happens: (event) =>
      answerTo(event).catch((error: unknown) => {
        if (error instanceof Refusal) return { refusal: error.code, ...(error.facts as object | undefined) };
        throw error;
      }),
    end: async () => ({
      seats: await office.statuses(),
      users: await Promise.all(users.map((_, who) => userEnd(who))),
    }),
  };
}

/** What there is to be in the end. */
export function endOf(model: Model): object {
  const kinds = (who: number, kind: string) =>
    model.transfers[who]?.filter((transfer) => transfer.kind === kind).length;
  return {
    seats: seatsOf(model),
    users: model.booked.map((own, who) => ({
      balance: balanceOf(model, who),
      reservations: own.map((one) => ({ seats: one.seats, status: statusOf(model, one), amount: one.price })),
      payments: kinds(who, 'PURCHASE'),
      refunded: kinds(who, 'REFUND'),
      entries: model.transfers[who],
    })),
  };
}

function held({ answer, replayed }: Answered<Reservation>): object {
  const { status, seatNumbers, amount, heldForSeconds } = answer;
  return { status, seats: seatNumbers, amount, steps: stepsOf(heldForSeconds), replayed };
}

function fail(): never {
  throw new RangeError('a hall without users');
}
