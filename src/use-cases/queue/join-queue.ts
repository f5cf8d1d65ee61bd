import { Refusal } from '#domain/errors.ts';
import type { ConcertId, UserId } from '#domain/ids.ts';
import { type QueueStatus, queueStatusOf } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';

/**
 * Joins the queue of a concert, or returns the user's entry. Admission follows, soon if there is room. With `onlyAgain`,
 * refuses `queue-full` to a user without an entry.
 */
export async function joinQueue(
  { concerts, queue, random }: Pick<Ports, 'concerts' | 'queue' | 'random'>,
  input: { readonly concertId: ConcertId; readonly userId: UserId; readonly onlyAgain?: true },
): Promise<{ readonly queueStatus: QueueStatus; readonly fresh: boolean }> {
  const { concertId, userId, onlyAgain } = input;
  const [concert, seatsLeft] = await Promise.all([concerts.find(concertId), concerts.seatsLeft(concertId)]);
  if (concert === undefined) throw new Refusal('concert-not-found');
  if (concert.sales === 'UPCOMING') throw new Refusal('sales-not-open', { opensAt: concert.salesOpenAt });
  if (concert.sales === 'CLOSED') throw new Refusal('sales-closed');

  const policy = onlyAgain ? { ...concert.policy, waitingMax: 0 } : concert.policy;
  const { entry, state, fresh } = await queue.join(concertId, userId, policy);
  return { queueStatus: queueStatusOf(entry, state, { concert, seatsLeft }, random()), fresh };
}
