import { Refusal } from '#domain/errors.ts';
import { type QueueClaim, type Standing, standingOf } from '#domain/queue.ts';
import type { Ports } from '#ports/index.ts';

/** Tells a fan where they stand. */
export async function pollQueue(
  { concerts, waitingRoom, random }: Pick<Ports, 'concerts' | 'waitingRoom' | 'random'>,
  claim: QueueClaim,
): Promise<Standing> {
  const [concert, place] = await Promise.all([concerts.find(claim.concertId), waitingRoom.find(claim)]);
  if (concert === undefined) throw new Refusal('concert-not-found');
  return standingOf(claim, place, concert.policy, random());
}
