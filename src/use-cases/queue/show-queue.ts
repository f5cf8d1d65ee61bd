import type { Concert, SeatsLeft } from '#domain/catalog/concert.ts';
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
  /** Of the last in line, or of whoever joins an empty one; unknown while nobody is let in. */
  readonly tailEta: Eta | undefined;
};

/** There is no line before sales open, and nobody is let in after they close. */
const NO_LINE: QueueFigures = {
  waiting: 0,
  active: 0,
  absent: 0,
  registered: 0,
  drawn: 0,
  frontier: 1,
  turnover: 0,
};

/** What anybody may know of a line, a second old at the most, at no cost to the stores however many ask. */
export async function showQueue(
  { concerts, queue }: Pick<Ports, 'concerts' | 'queue'>,
  concertId: ConcertId,
): Promise<PublicQueue> {
  const [concert, seatsLeft] = await Promise.all([concerts.find(concertId), concerts.seatsLeft(concertId)]);
  if (concert === undefined) throw new Refusal('concert-not-found');
  const figures = concert.sales === 'OPEN' ? await queue.survey(concertId) : NO_LINE;
  const state = queueStateOf(concert, figures, seatsLeft);
  const tailEta = state === 'OPEN' ? etaOf(Math.max(1, figures.waiting), figures.turnover, concert.policy) : undefined;
  return { concert, state, figures, seatsLeft, tailEta };
}
