import type { Concert, Seat } from '#domain/catalog/concert.ts';
import { Refusal } from '#domain/errors.ts';
import type { ConcertDate, ConcertId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';

/** Lists the seats of a date, all or those that are free. */
export async function listSeats(
  { concerts }: Pick<Ports, 'concerts'>,
  input: { readonly concertId: ConcertId; readonly date: ConcertDate; readonly available: boolean },
): Promise<{ readonly concert: Concert; readonly seats: readonly Seat[] }> {
  const concert = await concerts.find(input.concertId);
  if (concert === undefined) throw new Refusal('concert-not-found');
  const seats = await concerts.listSeats(input.concertId, input.date);
  if (seats === undefined) throw new Refusal('date-not-found');
  return { concert, seats: input.available ? seats.filter(({ status }) => status === 'AVAILABLE') : seats };
}
