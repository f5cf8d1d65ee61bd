import type { SeatWish } from '#domain/booking/best-seats.ts';
import {
  HOLD_KEY_MARGIN_MS,
  type Hold,
  type Reservation,
  SESSION_MARGIN_MS,
  seatOrder,
} from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import type { Answered, IdempotencyKey } from '#domain/idempotency.ts';
import { type ConcertDate, reservationId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { Held, HoldOrder, HoldOutcome, Occupied } from '#ports/booking/box-office.ts';
import type { Acquired } from '#ports/booking/hold-keys.ts';
import type { Ports } from '#ports/index.ts';
import { bestEffort } from '#use-cases/steps/best-effort.ts';

type Needed = Pick<Ports, 'concerts' | 'queue' | 'holdKeys' | 'lock' | 'boxOffice' | 'newId' | 'reportError'>;
type Order = Omit<HoldOrder, 'seatNumbers'>;

/**
 * Holds seats for an active user until a deadline: all seats named, or the best adjacent ones, which the box office
 * chooses.
 *
 * For named seats, hold keys turn the crowd away, the lock admits one command at a time, and the box office decides. Keys
 * and lock may fail without harm but delay. Updating Redis afterwards may fail, as the outbox retries it, and may come
 * late, as it prolongs no key of another hold and sets new ones for seconds only.
 */
export async function reserveSeats(
  ports: Needed,
  input: {
    readonly entry: QueueEntry;
    readonly date: ConcertDate;
    readonly request: IdempotencyKey;
  } & ({ readonly seatNumbers: readonly number[] } | { readonly wish: SeatWish }),
): Promise<Answered<Reservation>> {
  const { holdKeys, queue, boxOffice } = ports;
  const order = await orderOf(ports, input);
  const { answer, replayed, remainingMs } =
    'wish' in input
      ? await boxOffice.holdBest({ ...order, wish: input.wish })
      : await holdNamed(ports, order, input.seatNumbers);
  if (!replayed) {
    const hold = { ...order, seatNumbers: answer.seatNumbers };
    const keys =
      'wish' in input
        ? [holdKeys.putBack(hold, remainingMs + HOLD_KEY_MARGIN_MS)]
        : [holdKeys.prolong(hold, remainingMs + HOLD_KEY_MARGIN_MS), holdKeys.remember(hold, order.request)];
    await bestEffort(ports, ...keys, queue.extend(order.entry, remainingMs + SESSION_MARGIN_MS));
  }
  return { answer, replayed };
}

async function orderOf(
  { concerts, newId }: Needed,
  { entry, date, request }: Pick<HoldOrder, 'entry' | 'date' | 'request'>,
): Promise<Order> {
  const { userId, concertId } = entry;
  const concert = await concerts.find(concertId);
  if (concert === undefined) throw new Refusal('concert-not-found');
  const { holdSeconds, seatsPerUserMax, holdsPerSessionMax, sessionSeconds, strandedSeats } = concert.policy;
  const limits = { holdSeconds, seatsPerUserMax, holdsPerSessionMax, sessionSeconds, strandedSeats };
  return { userId, concertId, date, reservationId: reservationId(newId()), entry, ...limits, request };
}

/** Holds these seats. Refuses `seat-taken`. */
async function holdNamed(ports: Needed, asked: Order, seatNumbers: readonly number[]): Promise<Held> {
  const order: HoldOrder = { ...asked, seatNumbers: seatOrder(seatNumbers) };
  const acquired = await ports.holdKeys.acquire(order, order.request);
  const outcome = await decide(ports, order, acquired);
  if (outcome.outcome === 'held') return outcome;
  await bestEffort(ports, ...outcome.occupied.map((seat) => putKeyBack(ports, order, seat)));
  throw new Refusal('seat-taken', { seatNumbers: outcome.occupied.map(({ seatNumber }) => seatNumber) });
}

/** Asks the box office, under the lock if it can be had. Deletes the keys unless a new hold results. */
async function decide(ports: Needed, order: HoldOrder, acquired: Acquired): Promise<HoldOutcome> {
  const { holdKeys, lock, boxOffice } = ports;
  try {
    const locked = await lock.during(order, () => boxOffice.hold(order));
    // Another command works on these seats: another user's, whose keys were lost, or this user's own, sent twice or
    // dead with its lock. Another user's is refused; a repetition goes to the box office.
    const repeated = locked.contended && (acquired === 'repeated' || (await boxOffice.knows(order.request)));
    if (locked.contended && !repeated) throw new Refusal('seat-taken', { seatNumbers: order.seatNumbers });
    const outcome = locked.contended ? await boxOffice.hold(order) : locked.value;
    if (outcome.outcome === 'taken' || outcome.replayed) await bestEffort(ports, holdKeys.release(order));
    return outcome;
  } catch (error) {
    await bestEffort(ports, holdKeys.release(order));
    throw error;
  }
}

/** Restores a lost hold key for as long as the hold lasts. A sold seat gets one for a few seconds. */
async function putKeyBack(
  { holdKeys, boxOffice }: Needed,
  refused: Hold,
  { seatNumber, by, forMilliseconds }: Occupied,
): Promise<void> {
  if (by === undefined) return;
  const hold = { ...refused, ...by, seatNumbers: [seatNumber] };
  if (forMilliseconds === undefined) {
    await holdKeys.putBack(hold);
    return;
  }
  const wasMissing = await holdKeys.putBack(hold, forMilliseconds + HOLD_KEY_MARGIN_MS);
  if (!wasMissing) return;
  // The hold may have ended before its key was set, and nothing else would delete the key.
  const [held] = await boxOffice.findHeld(hold, hold.seatNumbers);
  if (held?.reservationId === hold.reservationId) await holdKeys.prolong(hold, held.remainingMs + HOLD_KEY_MARGIN_MS);
  else await holdKeys.release(hold);
}
