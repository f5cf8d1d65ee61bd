import type { Concert, SeatsLeft } from '#domain/catalog/concert.ts';

/**
 * Whether anybody is let in, and if not, why: `UPCOMING` before sales open, `REGISTERING` while people may join and nobody
 * is let in yet, `REBUILDING` after the line was lost, `SOLD_OUT` while no seat can be had, `PAUSED` by the operator,
 * `CLOSED` once sales are over.
 */
export const queueStates = ['UPCOMING', 'REGISTERING', 'OPEN', 'PAUSED', 'SOLD_OUT', 'REBUILDING', 'CLOSED'] as const;
export type QueueState = (typeof queueStates)[number];

type Line = {
  /** How many wait for lots to be drawn. */
  readonly registered: number;
  /** Present while the line is rebuilt. */
  readonly rebuildingMs?: number;
};

/** Where several reasons meet, the first of this order is told: whoever solves the later one would still let nobody in. */
export function queueStateOf(
  { sales, opened, policy }: Pick<Concert, 'sales' | 'opened'> & { readonly policy: { readonly paused: boolean } },
  { registered, rebuildingMs }: Line,
  { available }: Pick<SeatsLeft, 'available'>,
): QueueState {
  if (sales !== 'OPEN') return sales;
  if (rebuildingMs !== undefined) return 'REBUILDING';
  if (!opened || registered > 0) return 'REGISTERING';
  if (available === 0) return 'SOLD_OUT';
  return policy.paused ? 'PAUSED' : 'OPEN';
}
