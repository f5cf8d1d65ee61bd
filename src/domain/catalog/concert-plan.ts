import type { ConcertDate, ConcertId } from '#domain/ids.ts';
import type { Currency } from '#domain/wallet/money.ts';
import type { PolicyChange } from './policy.ts';
import type { SeatPlan, SeatRun } from './seat-plan.ts';

/** A concert to put on sale. The settings give the defaults of its policy. */
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
    /** Those of the seats that are not for sale for now. */
    readonly blocked?: readonly number[] | undefined;
  }[];
  /** The plan from which the seats were made, if any. */
  readonly seatPlan?: SeatPlan | undefined;
  readonly policy: PolicyChange;
};
