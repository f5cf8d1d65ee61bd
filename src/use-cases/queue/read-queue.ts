import { Refusal } from '#domain/errors.ts';
import type { ConcertId } from '#domain/ids.ts';
import { etaOf } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';
import type { QueueFigures } from '#ports/queue/queue.ts';

export type QueueReport = Omit<QueueFigures, 'rebuildingMs'> & {
  readonly concertId: ConcertId;
  readonly paused: boolean;
  /** Of a line that was lost: how much longer those who were in it are waited for. */
  readonly rebuildingSeconds?: number;
  /** How long the last in line, or whoever joins an empty one, can expect to wait; unknown while nobody is let in. */
  readonly tailEtaSeconds: number | undefined;
};

/** How a line stands right now, for its operator. */
export async function readQueue(
  { concerts, queue }: Pick<Ports, 'concerts' | 'queue'>,
  concertId: ConcertId,
): Promise<QueueReport> {
  const concert = await concerts.find(concertId);
  // Not at the same time: an instance goes on looking at a line that it was asked about, for a while.
  if (concert === undefined) throw new Refusal('concert-not-found');
  const figures = await queue.read(concertId);
  const tailEtaSeconds = etaOf(Math.max(1, figures.waiting), figures.turnover, concert.policy)?.p50;
  const { rebuildingMs, ...rest } = figures;
  const rebuilding = rebuildingMs === undefined ? {} : { rebuildingSeconds: Math.ceil(rebuildingMs / 1_000) };
  return { concertId, paused: concert.policy.paused, ...rest, ...rebuilding, tailEtaSeconds };
}
