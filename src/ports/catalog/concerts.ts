import type { Concert, DateOnSale, Seat } from '#domain/catalog/concert.ts';
import type { ConcertPlan } from '#domain/catalog/concert-plan.ts';
import type { PolicyChange } from '#domain/catalog/policy.ts';
import type { KeptPlan } from '#domain/catalog/seat-plan.ts';
import type { SeatsLeft } from '#domain/catalog/seats-left.ts';
import type { ConcertDate, ConcertId } from '#domain/ids.ts';
import type { Page, PageRequest } from '#domain/page.ts';

export type Concerts = {
  /** Returns undefined for an unknown concert. At most one second old; older only while the store does not answer. */
  find(concertId: ConcertId): Promise<Concert | undefined>;

  /** The same, for admission: refuses `unavailable` if the concerts served were not read in the last half second. */
  findToAdmit(concertId: ConcertId): Promise<Concert | undefined>;

  /**
   * Returns the concert and its seats left from the cache, or undefined if either is not cached. As fresh as `find`.
   */
  recall(concertId: ConcertId): { readonly concert: Concert; readonly seatsLeft: SeatsLeft } | undefined;

  /** Puts a concert on sale, in one step. Refuses `validation-failed` if the policy has no limit of admission. */
  create(plan: ConcertPlan): Promise<Concert>;

  /**
   * Changes the named fields of a concert's policy. Concurrent changes to different fields all take effect.
   * - Returns undefined for an unknown concert.
   * - Refuses `validation-failed` if no limit of admission would be left, if the opening would change after sales have
   *   opened, or if `opensAt` would be after the last date.
   */
  changePolicy(concertId: ConcertId, change: PolicyChange): Promise<Concert | undefined>;

  /**
   * Returns the concerts whose sales have opened and whose last date is to come or started less than a day ago, as their
   * sessions have to end. At most half a second old: waits for the store, as nobody is to be admitted while nobody
   * could book.
   */
  listServed(): Promise<readonly Concert[]>;

  /** Returns the concerts that have a date to come. */
  list(page: PageRequest): Promise<Page<Concert>>;

  /** Returns the dates to come, earliest first. Shows every change that was acknowledged before the call. */
  listDates(concertId: ConcertId): Promise<readonly DateOnSale[]>;

  /**
   * Counts the seats of the dates to come; 0 for an unknown concert. A hold past its deadline counts as available. As
   * fresh as `find`.
   */
  seatsLeft(concertId: ConcertId): Promise<SeatsLeft>;

  /**
   * Returns all seats of a date by number, also after the date has started; undefined for an unknown date. Shows every
   * change that was acknowledged before the call. A hold past its deadline is shown as free.
   */
  listSeats(concertId: ConcertId, date: ConcertDate): Promise<readonly Seat[] | undefined>;

  /** Returns the plan from which the seats were made; undefined without a plan, or for an unknown concert. */
  findSeatPlan(concertId: ConcertId): Promise<KeptPlan | undefined>;
};
