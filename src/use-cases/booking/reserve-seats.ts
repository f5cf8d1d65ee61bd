import { blocksFor, blocksToTry, type SeatWish, spreadOf } from '#domain/booking/best-seats.ts';
import {
  type Hold,
  MARK_MARGIN_MS,
  type Reservation,
  SESSION_MARGIN_MS,
  seatOrder,
} from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import type { Answered, RequestKey } from '#domain/idempotency.ts';
import { type ConcertDate, reservationId } from '#domain/ids.ts';
import type { QueueClaim } from '#domain/queue/queue.ts';
import type { Held, HoldOrder, HoldOutcome, Occupied } from '#ports/booking/box-office.ts';
import type { Claim } from '#ports/booking/hold-keys.ts';
import type { Ports } from '#ports/index.ts';

/** How often to look for the best seats, before the box office is asked to look itself: there one command waits for another. */
const LOOKS_MAX = 3;

type Needed = Pick<Ports, 'concerts' | 'waitingRoom' | 'seatHolds' | 'lock' | 'boxOffice' | 'newId'>;
type Order = Omit<HoldOrder, 'seatNumbers'>;

/**
 * Sets seats aside for a fan who is in, until a deadline: all of those named, or the best side by side.
 *
 * The marks turn the crowd away, the lock lets one command at a time through, and the box office decides. The first two
 * may fail or be wrong without any harm but delay, so what is told to them afterwards may fail too: it is repeated from
 * the outbox. And it may come late, when the hold has ended and the outbox has told so: only the claim is prolonged, where it
 * is still there. The outbox marks what has no claim, as seats that the box office chose, within a second or two.
 */
export async function reserveSeats(
  ports: Needed,
  input: {
    readonly claim: QueueClaim;
    readonly date: ConcertDate;
    readonly request: RequestKey;
  } & ({ readonly seatNumbers: readonly number[] } | { readonly wish: SeatWish }),
): Promise<Answered<Reservation>> {
  const { concerts, waitingRoom, seatHolds, newId } = ports;
  const { claim, date, request } = input;
  const { userId, concertId } = claim;

  const concert = await concerts.find(concertId);
  if (concert === undefined) throw new Refusal('concert-not-found');
  const { holdSeconds, seatsPerUserMax, strandedSeats } = concert.policy;
  const order: Order = {
    userId,
    concertId,
    date,
    reservationId: reservationId(newId()),
    place: claim,
    holdSeconds,
    seatsPerUserMax,
    strandedSeats,
    request,
  };

  const held =
    'wish' in input ? await holdBest(ports, order, input.wish) : await holdNamed(ports, order, input.seatNumbers);
  if (!held.replayed) {
    const hold = { ...order, seatNumbers: held.answer.seatNumbers };
    await Promise.allSettled([
      seatHolds.prolong(hold, held.remainingMs + MARK_MARGIN_MS),
      seatHolds.remember(hold, request),
      waitingRoom.extend(claim, held.remainingMs + SESSION_MARGIN_MS),
    ]);
  }
  return { answer: held.answer, replayed: held.replayed };
}

/** Holds these seats. Refuses `seat-taken`. */
async function holdNamed(ports: Needed, asked: Order, seatNumbers: readonly number[]): Promise<Held> {
  const order: HoldOrder = { ...asked, seatNumbers: seatOrder(seatNumbers) };
  const claimed = await ports.seatHolds.claim(order, order.request);
  const outcome = await decide(ports, order, claimed);
  if (outcome.outcome === 'held') return outcome;
  await Promise.allSettled(outcome.occupied.map((seat) => markAsTaken(ports, order, seat)));
  throw new Refusal('seat-taken', { seatNumbers: outcome.occupied.map(({ seatNumber }) => seatNumber) });
}

/** Holds the best seats that are not lost to somebody faster. That there are none only the box office can say. */
async function holdBest(ports: Needed, order: Order, wish: SeatWish): Promise<Held> {
  const { concerts, boxOffice } = ports;
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const free = await concerts.listFreeSeats(order.concertId, order.date);
    const blocks = blocksFor(free, wish, order.strandedSeats);
    if (blocks.length === 0) break;
    for (const seatNumbers of blocksToTry(blocks, spreadOf(order.request) + looks)) {
      const held = await holdNamed(ports, order, seatNumbers).catch(unlessLost);
      if (held !== undefined) return held;
    }
  }
  return boxOffice.holdBest({ ...order, wish });
}

/** Somebody was faster: with these seats, or with those beside them. */
function unlessLost(error: unknown): undefined {
  const lost = error instanceof Refusal && (error.code === 'seat-taken' || error.code === 'seat-stranded');
  if (!lost) throw error;
}

/** Asks the box office, under the lock if it can be had. Whatever comes but a new hold undoes the claim. */
async function decide({ seatHolds, lock, boxOffice }: Needed, order: HoldOrder, claimed: Claim): Promise<HoldOutcome> {
  try {
    const locked = await lock.during(order, () => boxOffice.hold(order));
    // Somebody is at these seats right now: a stranger who got past the marks, or this very user, in a command sent twice
    // or one that died with its lock. A stranger is turned away; a repetition is for the box office to sort out.
    const repeated = locked.contended && (claimed === 'repeated' || (await boxOffice.knows(order.request)));
    if (locked.contended && !repeated) throw new Refusal('seat-taken', { seatNumbers: order.seatNumbers });
    const outcome = locked.contended ? await boxOffice.hold(order) : locked.value;
    if (outcome.outcome === 'taken' || outcome.replayed) await Promise.allSettled([seatHolds.release(order)]);
    return outcome;
  } catch (error) {
    await Promise.allSettled([seatHolds.release(order)]);
    throw error;
  }
}

/** The marks did not know what the box office knew; now they do, for a while. */
async function markAsTaken(
  { seatHolds }: Needed,
  hold: Hold,
  { seatNumber, by, forMilliseconds }: Occupied,
): Promise<void> {
  if (by === undefined) return;
  await seatHolds.note({ ...hold, ...by, seatNumbers: [seatNumber] }, forMilliseconds);
}
