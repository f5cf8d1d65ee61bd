import { admissionPolicy } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import type { PlaceId, QueueClaim } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';

/** More holds than anybody has. Those beyond it run out by themselves. */
const HOLDS_MAX = 100;

type Needed = Pick<Ports, 'concerts' | 'waitingRoom' | 'boxOffice' | 'seatHolds'>;

/**
 * Gives a place up, waiting or active, and lets the next one in. Whoever was in gives back what they hold as well: without
 * a session it could not be paid for, and others want it.
 */
export async function leaveQueue(ports: Needed, place: QueueClaim): Promise<void> {
  const { concerts, waitingRoom } = ports;
  const { concertId } = place;
  const [concert, seatsLeft] = await Promise.all([concerts.find(concertId), concerts.seatsLeft(concertId)]);
  if (concert === undefined) throw new Refusal('concert-not-found');
  // A place that was left before has no say in what its user holds in a later session.
  const { status } = await waitingRoom.find(place);
  await waitingRoom.leave(place);
  await waitingRoom.admit(concertId, admissionPolicy(concert, seatsLeft));
  // Nobody waits for it: the line does not need Postgres, and what is not given back runs out by itself.
  if (status === 'ACTIVE') void Promise.allSettled([giveBack(ports, place)]);
}

/** What cannot be given back runs out by itself, or was paid for meanwhile. */
async function giveBack({ boxOffice, seatHolds }: Needed, { userId, concertId }: PlaceId): Promise<void> {
  const { items } = await boxOffice.listReservations(userId, { limit: HOLDS_MAX });
  const held = items.filter((reservation) => reservation.concertId === concertId && reservation.status === 'HELD');
  await Promise.allSettled(
    held.map(async ({ reservationId }) => seatHolds.release(await boxOffice.release(userId, reservationId))),
  );
}
