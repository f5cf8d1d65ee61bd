import { Refusal } from '#domain/errors.ts';
import { type ConcertDate, reservationId } from '#domain/ids.ts';
import type { QueueClaim } from '#domain/queue.ts';
import type { Answered, RequestKey } from '#domain/request.ts';
import { type Hold, MARK_MARGIN_MS, type Reservation, SESSION_MARGIN_MS, seatOrder } from '#domain/reservation.ts';
import type { HoldOrder, HoldOutcome, Occupied } from '#ports/box-office.ts';
import type { Ports } from '#ports/index.ts';
import type { Claim } from '#ports/seat-holds.ts';

/** A sold seat is marked for this long when somebody asks for it; after that, whoever asks next has it marked again. */
const SOLD_MARK_MS = 60_000;

type Needed = Pick<Ports, 'concerts' | 'waitingRoom' | 'seatHolds' | 'lock' | 'boxOffice' | 'newId'>;

/**
 * Sets seats aside for a fan who is in, until a deadline: all of them, or none.
 *
 * The marks turn the crowd away, the lock lets one command at a time through, and the box office decides. The first two
 * may fail or be wrong without any harm but delay, so what is told to them afterwards may fail too: it is repeated from
 * the outbox.
 */
export async function reserveSeats(
  ports: Needed,
  input: {
    readonly claim: QueueClaim;
    readonly date: ConcertDate;
    readonly seatNumbers: readonly number[];
    readonly request: RequestKey;
  },
): Promise<Answered<Reservation>> {
  const { concerts, waitingRoom, seatHolds, newId } = ports;
  const { claim, date, request } = input;
  const { userId, concertId } = claim;

  const concert = await concerts.find(concertId);
  if (concert === undefined) throw new Refusal('concert-not-found');
  const { holdSeconds, seatsPerUserMax } = concert.policy;
  const seatNumbers = seatOrder(input.seatNumbers);
  const hold: Hold = { userId, concertId, date, seatNumbers, reservationId: reservationId(newId()) };

  const claimed = await seatHolds.claim(hold, request);
  const order = { ...hold, place: claim, holdSeconds, seatsPerUserMax, request };
  const outcome = await decide(ports, order, claimed);

  if (outcome.outcome === 'taken') {
    await Promise.allSettled(outcome.occupied.map((seat) => markAsTaken(ports, hold, seat)));
    throw new Refusal('seat-taken', { seatNumbers: outcome.occupied.map(({ seatNumber }) => seatNumber) });
  }
  if (!outcome.replayed) {
    await Promise.allSettled([
      seatHolds.keep(hold, outcome.remainingMs + MARK_MARGIN_MS),
      seatHolds.remember(hold, request),
      waitingRoom.extend(claim, outcome.remainingMs + SESSION_MARGIN_MS),
    ]);
  }
  return { answer: outcome.answer, replayed: outcome.replayed };
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

/** The marks did not know what the box office knew; now they do. */
async function markAsTaken(
  { seatHolds }: Needed,
  hold: Hold,
  { seatNumber, by, forMilliseconds }: Occupied,
): Promise<void> {
  if (by === undefined) return;
  await seatHolds.keep({ ...hold, ...by, seatNumbers: [seatNumber] }, forMilliseconds ?? SOLD_MARK_MS);
}
