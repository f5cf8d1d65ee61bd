import type { Concert } from '#domain/concert.ts';
import { concertId } from '#domain/ids.ts';
import type { ConcertPlan } from '#domain/plan.ts';
import type { Ports } from '#ports/index.ts';

/** Puts a concert on sale: its dates, their seats and prices, and how its line is let in. */
export async function createConcert(
  { concerts, newId }: Pick<Ports, 'concerts' | 'newId'>,
  plan: Omit<ConcertPlan, 'concertId'>,
): Promise<Concert> {
  return concerts.create({ ...plan, concertId: concertId(newId()) });
}
