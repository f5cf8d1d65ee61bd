import { v7 as newId } from 'uuid';
import type { Hold, Reservation } from '#domain/booking/reservation.ts';
import type { IdempotencyKey } from '#domain/idempotency.ts';
import { chargeId, paymentId, refundId, reservationId, type UserId, userId } from '#domain/ids.ts';
import type { Money } from '#domain/wallet/money.ts';
import type { CancelOrder, ExtendOrder, HoldOrder, HoldOutcome, PayOrder } from '#ports/booking/box-office.ts';
import type { Ports } from '#ports/index.ts';
import type { StoredConcert } from '#tests/fakes/memory-store.ts';
import type { Staged } from './stage-concert.ts';

/** The ports that share one store, and what a contract test has to arrange about it. */
export type StoreHarness = Pick<
  Ports,
  'boxOffice' | 'wallets' | 'concerts' | 'queueRecords' | 'events' | 'webhooks' | 'deliveries'
> & {
  /** Puts a concert on sale. */
  stage(staged?: Staged): Promise<StoredConcert>;
  /** Time goes by for everything in the store. */
  passes(milliseconds: number): Promise<void>;
};

export const HOLD_SECONDS = 300;
export const HOLD_MS = HOLD_SECONDS * 1_000;
/** How long a hold may be made to last. */
export const CEILING_SECONDS = 500;
/** As long as answers are kept, at least. */
export const DAY_MS = 86_400_000;
/** What is announced is due by then, if whoever did it has not settled it. */
export const OUTBOX_DUE_MS = 2_000;
/** Nobody looks after an aftermath for longer. */
export const OUTBOX_LEASE_MS = 60_000;
const BALANCE_MAX = 1_000_000_000;

/** A concert, and how people behave at its box office. */
export async function openBoxOffice(harness: StoreHarness, staged?: Staged) {
  const { boxOffice, wallets, concerts } = harness;
  const concert = await harness.stage(staged);
  const date = concert.dates[0]?.date;
  if (date === undefined) throw new RangeError('a concert without a date');
  const { concertId } = concert;

  async function user(balance: Money = 0): Promise<UserId> {
    const id = userId(newId());
    await wallets.open(id, concert.currency);
    if (balance > 0) await charge(id, balance);
    return id;
  }

  const charge = (user: UserId, amount: Money, request = ask(user), balanceMax = BALANCE_MAX) =>
    wallets.charge({ chargeId: chargeId(newId()), amount, balanceMax, request });

  const placeOf = (user: UserId) => ({ userId: user, concertId, sequence: 7, epoch: 'AAAAAAAA' });

  const orderOf = (user: UserId, seatNumbers: readonly number[], rest: Partial<HoldOrder> = {}): HoldOrder => ({
    userId: user,
    concertId,
    date,
    seatNumbers,
    reservationId: reservationId(newId()),
    entry: placeOf(user),
    holdSeconds: HOLD_SECONDS,
    seatsPerUserMax: 4,
    holdsPerSessionMax: 30,
    sessionSeconds: 600,
    strandedSeats: 'off',
    request: ask(user),
    ...rest,
  });

  /** A hold that must be granted. */
  async function hold(user: UserId, ...seatNumbers: number[]): Promise<Reservation> {
    return granted(await boxOffice.hold(orderOf(user, seatNumbers)));
  }

  const payOrderOf = ({ userId, reservationId }: Hold, request = ask(userId)): PayOrder => ({
    paymentId: paymentId(newId()),
    reservationId,
    entry: placeOf(userId),
    request,
  });
  const pay = (reservation: Hold, request?: IdempotencyKey) => boxOffice.pay(payOrderOf(reservation, request));

  const extendOrderOf = ({ userId, reservationId }: Hold, rest: Partial<ExtendOrder> = {}): ExtendOrder => ({
    reservationId,
    entry: placeOf(userId),
    holdSeconds: HOLD_SECONDS,
    holdSecondsMax: CEILING_SECONDS,
    request: ask(userId),
    ...rest,
  });
  const extend = (reservation: Hold, rest?: Partial<ExtendOrder>) => boxOffice.extend(extendOrderOf(reservation, rest));

  const cancelOrderOf = ({ userId, reservationId }: Hold, rest: Partial<CancelOrder> = {}): CancelOrder => ({
    refundId: refundId(newId()),
    reservationId,
    refundUntilSeconds: 0,
    request: ask(userId),
    ...rest,
  });
  const cancel = (reservation: Hold, rest?: Partial<CancelOrder>) => boxOffice.cancel(cancelOrderOf(reservation, rest));

  const statuses = async () => (await concerts.listSeats(concertId, date))?.map(({ status }) => status);
  const balanceOf = async (user: UserId) => (await wallets.find(user))?.balance;
  const statusOf = async ({ userId, reservationId }: Hold) =>
    (await boxOffice.findReservation(userId, reservationId))?.status;

  return {
    ...{ concert, date, user, charge, placeOf, orderOf, hold, payOrderOf, pay, extendOrderOf, extend },
    ...{ cancelOrderOf, cancel, statuses, balanceOf, statusOf },
  };
}

/** A command of this user that nobody has sent before. */
export function ask(user: UserId, key: string = newId(), fingerprint = 'asked'): IdempotencyKey {
  return { userId: user, key, fingerprint };
}

export function granted(outcome: HoldOutcome): Reservation {
  if (outcome.outcome !== 'held') throw new RangeError('the seats are taken');
  return outcome.answer;
}

/** All pages, one after the other. */
export async function allPages<T>(
  list: (page: {
    limit: number;
    after?: string | undefined;
  }) => Promise<{ items: readonly T[]; next?: string | undefined }>,
  limit: number,
): Promise<(readonly T[])[]> {
  const pages: (readonly T[])[] = [];
  for (let after: string | undefined, more = true; more; ) {
    const { items, next } = await list({ limit, after });
    pages.push(items);
    after = next;
    more = next !== undefined;
  }
  return pages;
}
