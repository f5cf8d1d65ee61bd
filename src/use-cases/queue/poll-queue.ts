import { Refusal } from '#domain/errors.ts';
import { type QueueEntry, type QueueStatus, queueStatusOf } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';

/** Answers a poll: from memory for most entries, from Redis near the head. */
export async function pollQueue(
  { concerts, queue, random }: Pick<Ports, 'concerts' | 'queue' | 'random'>,
  entry: QueueEntry,
): Promise<QueueStatus> {
  const { concertId } = entry;
  const known = concerts.recall(concertId);
  const seen = known && queue.recall(entry);
  if (known !== undefined && seen !== undefined) return queueStatusOf(entry, seen, known, random());

  const [concert, seatsLeft] = await Promise.all([concerts.find(concertId), concerts.seatsLeft(concertId)]);
  if (concert === undefined) throw new Refusal('concert-not-found');
  const state = queue.recall(entry) ?? (await queue.find(entry));
  return queueStatusOf(entry, state, { concert, seatsLeft }, random());
}
