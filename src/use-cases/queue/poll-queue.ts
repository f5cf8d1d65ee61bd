import { Refusal } from '#domain/errors.ts';
import { type QueueClaim, type Standing, standingOf } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';

/** Tells a fan where they stand: at a glance, or by a closer look near the front. A glance is all that most polls cost. */
export async function pollQueue(
  { concerts, waitingRoom, random }: Pick<Ports, 'concerts' | 'waitingRoom' | 'random'>,
  claim: QueueClaim,
): Promise<Standing> {
  const { concertId } = claim;
  const known = concerts.glance(concertId);
  const seen = known && waitingRoom.glance(claim);
  if (known !== undefined && seen !== undefined) return standingOf(claim, seen, known, random());

  const [concert, seatsLeft] = await Promise.all([concerts.find(concertId), concerts.seatsLeft(concertId)]);
  if (concert === undefined) throw new Refusal('concert-not-found');
  const place = waitingRoom.glance(claim) ?? (await waitingRoom.find(claim));
  return standingOf(claim, place, { concert, seatsLeft }, random());
}
