import type { DateOnSale } from '#domain/catalog/concert.ts';
import { Refusal } from '#domain/errors.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';

/** Lists the dates to come, all or those with a free seat. */
export async function listDates(
  { concerts }: Pick<Ports, 'concerts'>,
  input: { readonly concertId: ConcertId; readonly all: boolean },
): Promise<readonly DateOnSale[]> {
  if ((await concerts.find(input.concertId)) === undefined) throw new Refusal('concert-not-found');
  const dates = await concerts.listDates(input.concertId);
  return input.all ? dates : dates.filter(({ seatsAvailable }) => seatsAvailable > 0);
}
