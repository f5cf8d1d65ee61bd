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
  /** By the clock of Postgres: UPCOMING before sales open, CLOSED once the last date has started. */
  readonly sales: 'UPCOMING' | 'OPEN' | 'CLOSED';
  /** When admission starts: the later of the opening of sales and the policy's `opensAt`. */
  readonly opensAt: Date;
  /** By the clock of Postgres. */
  readonly opened: boolean;
  /** Until admission starts, as of when the concert was read; 0 afterwards. */
  readonly opensInSeconds: number;
  readonly policy: Policy;
  /** Present if the concert has a lottery. */
  readonly lottery?: Lottery;
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
  /** Absent in a hall without a plan. */
  readonly at?: Pick<PlaceInHall, 'section' | 'row' | 'place' | 'grade'>;
};
