import type { ConcertDate, ConcertId } from '#domain/ids.ts';
import type { Currency } from '#domain/wallet/money.ts';
import type { PolicyChange } from './policy.ts';
import type { SeatPlan, SeatRun } from './seat-plan.ts';

/** A concert to be put on sale. What its policy leaves out comes from the settings. */
export type ConcertPlan = {
  readonly concertId: ConcertId;
  readonly title: string;
  readonly venue: string;
  readonly currency: Currency;
  readonly salesOpenAt: Date;
  readonly dates: readonly {
    readonly date: ConcertDate;
    readonly startsAt: Date;
    readonly seats: readonly SeatRun[];
    /** Of these seats, those that are not for sale for now. */
    readonly blocked?: readonly number[] | undefined;
  }[];
  /** What the seats were made by, if by a plan. */
  readonly seatPlan?: SeatPlan | undefined;
  readonly policy: PolicyChange;
};
