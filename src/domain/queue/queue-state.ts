import type { Concert } from '#domain/catalog/concert.ts';
import type { SeatsLeft } from '#domain/catalog/seats-left.ts';

/**
 * Whether entries are admitted, and if not, why: `UPCOMING` before sales open, `REGISTERING` while clients may join and
 * admission has not started, `REBUILDING` after a loss, `SOLD_OUT` while no seat is available, `PAUSED` by the operator,
 * `CLOSED` after the sale.
 */
export const queueStates = ['UPCOMING', 'REGISTERING', 'OPEN', 'PAUSED', 'SOLD_OUT', 'REBUILDING', 'CLOSED'] as const;
export type QueueState = (typeof queueStates)[number];

type Rebuild = {
  /** Entries that wait for lots to be drawn. */
  readonly registered: number;
  /** Present while the queue is rebuilt. */
  readonly rebuildingMs?: number;
};

/** If several reasons apply, the first in this order wins, as resolving a later one alone admits nobody. */
export function queueStateOf(
  { sales, opened, policy }: Pick<Concert, 'sales' | 'opened'> & { readonly policy: { readonly paused: boolean } },
  { registered, rebuildingMs }: Rebuild,
  { available }: Pick<SeatsLeft, 'available'>,
): QueueState {
  if (sales !== 'OPEN') return sales;
  if (rebuildingMs !== undefined) return 'REBUILDING';
  if (!opened || registered > 0) return 'REGISTERING';
  if (available === 0) return 'SOLD_OUT';
  return policy.paused ? 'PAUSED' : 'OPEN';
}
