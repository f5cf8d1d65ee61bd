import { Refusal } from '#domain/errors.ts';
import type { ConcertId } from '#domain/ids.ts';
import { etaOf } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';
import type { QueueFigures } from '#ports/queue/queue.ts';

export type QueueReport = Omit<QueueFigures, 'rebuildingMs'> & {
  readonly concertId: ConcertId;
  readonly paused: boolean;
  /** After a loss, the time until admission resumes. */
  readonly rebuildingSeconds?: number;
  /** The estimated wait of the last entry, or of the next one in an empty queue; unknown while nobody is admitted. */
  readonly tailEtaSeconds: number | undefined;
};

/** Returns the figures of a queue for operators. */
export async function readQueue(
  { concerts, queue }: Pick<Ports, 'concerts' | 'queue'>,
  concertId: ConcertId,
): Promise<QueueReport> {
  const concert = await concerts.find(concertId);
  // Not in parallel: an instance keeps refreshing each queue that it was asked about.
  if (concert === undefined) throw new Refusal('concert-not-found');
  const figures = await queue.read(concertId);
  const tailEtaSeconds = etaOf(Math.max(1, figures.waiting), figures, concert.policy)?.p50;
  const { rebuildingMs, ...rest } = figures;
  const rebuilding = rebuildingMs === undefined ? {} : { rebuildingSeconds: Math.ceil(rebuildingMs / 1_000) };
  return { concertId, paused: concert.policy.paused, ...rest, ...rebuilding, tailEtaSeconds };
}
