import type { FreeSeat } from '#domain/booking/best-seats.ts';
import type { Concert, DateOnSale, Seat, SeatsLeft } from '#domain/catalog/concert.ts';
import type { ConcertPlan } from '#domain/catalog/concert-plan.ts';
import type { PolicyChange } from '#domain/catalog/policy.ts';
import type { KeptPlan } from '#domain/catalog/seat-plan.ts';
import type { ConcertDate, ConcertId } from '#domain/ids.ts';
import type { Page, PageRequest } from '#domain/page.ts';

export type Concerts = {
  /** At most a second old; older only while the store does not answer. */
  find(concertId: ConcertId): Promise<Concert | undefined>;

  /** A concert and what is left of it, where both are known without asking anybody; else undefined. As old as `find`. */
  recall(concertId: ConcertId): { readonly concert: Concert; readonly seatsLeft: SeatsLeft } | undefined;

  /** Puts a concert on sale: all of it or, if that fails, nothing. Refuses `validation-failed` without any limit of admission. */
  create(plan: ConcertPlan): Promise<Concert>;

  /**
   * Changes what is named of a concert's policy; undefined if there is no such concert. Changes made at the same time all
   * count. Refuses `validation-failed` where no limit of admission would be left, and another opening once sales have
   * opened.
   */
  changePolicy(concertId: ConcertId, change: PolicyChange): Promise<Concert | undefined>;

  /** Concerts with a date still to come, whose sales have opened; as old as `find`. */
  listOnSale(): Promise<readonly Concert[]>;

  /** Concerts with a date still to come. */
  list(page: PageRequest): Promise<Page<Concert>>;

  /** Dates still to come, the earliest first. Shows every change that was acknowledged before it was asked. */
  listDates(concertId: ConcertId): Promise<readonly DateOnSale[]>;

  /** What is left to sell; a hold past its deadline counts as available. As old as `find`. Nothing, of an unknown concert. */
  seatsLeft(concertId: ConcertId): Promise<SeatsLeft>;

  /**
   * The seats of a date by number, begun or not, or undefined if it has none. Shows every change that was acknowledged
   * before it was asked; a hold past its deadline is shown as free.
   */
  listSeats(concertId: ConcertId, date: ConcertDate): Promise<readonly Seat[] | undefined>;

  /** The seats of a date that can be had, as new as `listSeats`, and where they are. None, of an unknown date. */
  listFreeSeats(concertId: ConcertId, date: ConcertDate): Promise<readonly FreeSeat[]>;

  /** The plan that the seats were made by; undefined if by none, or if there is no such concert. */
  findSeatPlan(concertId: ConcertId): Promise<KeptPlan | undefined>;
};
