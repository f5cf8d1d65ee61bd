import type { ConcertDate, ConcertId } from '#domain/ids.ts';
import type { Lottery } from '#domain/queue/lottery.ts';
import type { Currency, Money } from '#domain/wallet/money.ts';
import type { Policy } from './policy.ts';
import type { PlaceInHall } from './seat-plan.ts';

export type Concert = {
  readonly concertId: ConcertId;
  readonly title: string;
  readonly venue: string;
  readonly currency: Currency;
  readonly salesOpenAt: Date;
  /** By the clock of the store that sells: UPCOMING before sales open, CLOSED once the last date has begun. */
  readonly sales: 'UPCOMING' | 'OPEN' | 'CLOSED';
  /** From when on the line lets people in: the later of when sales open and what the policy says. */
  readonly opensAt: Date;
  /** By the same clock as `sales`. */
  readonly opened: boolean;
  readonly policy: Policy;
  /** Present where lots are drawn. */
  readonly lottery?: Lottery;
};

/** Of all dates still to come. */
export type SeatsLeft = {
  readonly available: number;
  /** Not paid for yet: these may come back. */
  readonly held: number;
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
  /** By the plan of the hall, if it has one. */
  readonly at?: Pick<PlaceInHall, 'section' | 'row' | 'place' | 'grade'>;
};
