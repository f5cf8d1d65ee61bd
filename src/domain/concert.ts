import type { ConcertDate, ConcertId } from './ids.ts';
import type { Currency, Money } from './money.ts';

/** What an operator decides per concert; what is not decided there comes from the settings. */
export type Policy = {
  /** How many people may be let in at once. */
  readonly activeMax: number;
  /** How many people may wait; whoever comes after is told `queue-full`. */
  readonly waitingMax: number;
  /** How long a session lasts once let in. A hold made meanwhile prolongs it to the end of the hold. */
  readonly sessionSeconds: number;
  /** How long a seat is set aside for a fan who has not paid yet. */
  readonly holdSeconds: number;
  /** How many seats of one date a user may hold and own together. */
  readonly seatsPerUserMax: number;
};

export type Concert = {
  readonly concertId: ConcertId;
  readonly title: string;
  readonly venue: string;
  readonly currency: Currency;
  readonly salesOpenAt: Date;
  /** By the clock of the store that sells: UPCOMING before sales open, CLOSED once the last date has begun. */
  readonly sales: 'UPCOMING' | 'OPEN' | 'CLOSED';
  readonly policy: Policy;
};

export type DateOnSale = {
  readonly date: ConcertDate;
  readonly startsAt: Date;
  readonly seatsTotal: number;
  readonly seatsAvailable: number;
};

export type SeatStatus = 'AVAILABLE' | 'HELD' | 'SOLD' | 'BLOCKED';

export type Seat = {
  readonly seatNumber: number;
  readonly price: Money;
  readonly status: SeatStatus;
};
