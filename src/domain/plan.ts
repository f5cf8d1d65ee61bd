import type { ConcertDate, ConcertId } from './ids.ts';
import type { Currency, Money } from './money.ts';
import type { PolicyChange } from './policy.ts';

/** Seats numbered from `first` to `last`, all at one price. */
export type SeatRange = { readonly first: number; readonly last: number; readonly price: Money };

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
    readonly seats: readonly SeatRange[];
  }[];
  readonly policy: PolicyChange;
};
