import { Refusal } from '#domain/errors.ts';
import type { PlaceId } from '#domain/queue.ts';
import type { Ports } from '#ports/index.ts';

/** Gives a place up, waiting or active, and lets the next one in. Holds stay until they are released or run out. */
export async function leaveQueue(
  { concerts, waitingRoom }: Pick<Ports, 'concerts' | 'waitingRoom'>,
  place: PlaceId,
): Promise<void> {
  const concert = await concerts.find(place.concertId);
  if (concert === undefined) throw new Refusal('concert-not-found');
  await waitingRoom.leave(place);
  await waitingRoom.admit(place.concertId, concert.policy);
}
