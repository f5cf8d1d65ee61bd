import type { Concert, DateOnSale, Seat } from '#domain/concert.ts';
import type { ConcertDate, ConcertId } from '#domain/ids.ts';
import type { Page, PageRequest } from '#domain/page.ts';

export type Concerts = {
  /** At most a second old; older only while the store does not answer. */
  find(concertId: ConcertId): Promise<Concert | undefined>;

  /** Concerts with a date still to come, whose sales have opened; as old as `find`. */
  listOnSale(): Promise<readonly Concert[]>;

  /** Concerts with a date still to come. */
  list(page: PageRequest): Promise<Page<Concert>>;

  /** Dates still to come, the earliest first. Shows every change that was acknowledged before it was asked. */
  listDates(concertId: ConcertId): Promise<readonly DateOnSale[]>;

  /**
   * The seats of a date by number, begun or not, or undefined if it has none. Shows every change that was acknowledged
   * before it was asked; a hold past its deadline is shown as free.
   */
  listSeats(concertId: ConcertId, date: ConcertDate): Promise<readonly Seat[] | undefined>;
};
