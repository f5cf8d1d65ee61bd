import type { Concert } from '#domain/catalog/concert.ts';
import type { SeatsLeft } from '#domain/catalog/seats-left.ts';
import { Refusal } from '#domain/errors.ts';
import type { ConcertId } from '#domain/ids.ts';
import { type Eta, etaOf } from '#domain/queue/queue.ts';
import { type QueueState, queueStateOf } from '#domain/queue/queue-state.ts';
import type { Ports } from '#ports/index.ts';
import type { QueueFigures } from '#ports/queue/queue.ts';

export type PublicQueue = {
  readonly concert: Concert;
  readonly state: QueueState;
  readonly figures: QueueFigures;
  readonly seatsLeft: SeatsLeft;
  /** The estimate for the last entry, or for the next one in an empty queue; unknown while nobody is admitted. */
  readonly tailEta: Eta | undefined;
};

/** Before sales open there is no queue; after they close nobody is admitted. */
const EMPTY_QUEUE: QueueFigures = {
  waiting: 0,
  active: 0,
  absent: 0,
  registered: 0,
  drawn: 0,
  head: 1,
  turnover: 0,
  presentShare: 1,
};

/**
 * Returns the public state of a queue from memory, at most a second old, so that any number of readers costs the stores
 * nothing.
 */
export async function showQueue(
  { concerts, queue }: Pick<Ports, 'concerts' | 'queue'>,
  concertId: ConcertId,
): Promise<PublicQueue> {
  const [concert, seatsLeft] = await Promise.all([concerts.find(concertId), concerts.seatsLeft(concertId)]);
  if (concert === undefined) throw new Refusal('concert-not-found');
  const figures = concert.sales === 'OPEN' ? await queue.survey(concertId) : EMPTY_QUEUE;
  const state = queueStateOf(concert, figures, seatsLeft);
  const tailEta = state === 'OPEN' ? etaOf(Math.max(1, figures.waiting), figures, concert.policy) : undefined;
  return { concert, state, figures, seatsLeft, tailEta };
}
