import type { Concert } from '#domain/catalog/concert.ts';
import type { ConcertPlan } from '#domain/catalog/concert-plan.ts';
import { runsOf } from '#domain/catalog/seat-plan.ts';
import { concertId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';

type DateAsked = Omit<ConcertPlan['dates'][number], 'seats' | 'blocked'> & {
  /** Left out: those of the seat plan. */
  readonly seats?: ConcertPlan['dates'][number]['seats'] | undefined;
};

/** Puts a concert on sale: its dates, their seats and prices, and how its line is let in. */
export async function createConcert(
  { concerts, newId }: Pick<Ports, 'concerts' | 'newId'>,
  { dates, seatPlan, ...plan }: Omit<ConcertPlan, 'concertId' | 'dates'> & { readonly dates: readonly DateAsked[] },
): Promise<Concert> {
  const planned = seatPlan && { seats: runsOf(seatPlan), blocked: seatPlan.blocked };
  return concerts.create({
    ...plan,
    seatPlan,
    concertId: concertId(newId()),
    dates: dates.map(({ seats, ...date }) => {
      if (seats !== undefined) return { ...date, seats };
      if (planned === undefined) throw new RangeError(`no seats for ${date.date}`);
      return { ...date, ...planned };
    }),
  });
}
