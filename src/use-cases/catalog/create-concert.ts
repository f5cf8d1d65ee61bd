import type { Concert } from '#domain/catalog/concert.ts';
import type { ConcertPlan } from '#domain/catalog/concert-plan.ts';
import { runsOf } from '#domain/catalog/seat-plan.ts';
import { concertId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';

type DateAsked = Omit<ConcertPlan['dates'][number], 'seats' | 'blocked'> & {
  /** Defaults to the seats of the plan. */
  readonly seats?: ConcertPlan['dates'][number]['seats'] | undefined;
};

/** Puts a concert on sale: its dates, seats, prices and policy. */
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
