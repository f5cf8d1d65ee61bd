import type { Policy } from '#domain/catalog/policy.ts';
import { runsOf, type SeatPlan } from '#domain/catalog/seat-plan.ts';
import { type ConcertId, concertDate } from '#domain/ids.ts';
import type { Money } from '#domain/wallet/money.ts';
import { placedSeats, type StoredConcert } from '#tests/fakes/memory-store.ts';

/** What a test wants of a concert. What it does not say is on sale for an hour, one date in a week, five seats. */
export type Staged = {
  readonly opensInMs?: number;
  readonly policy?: Partial<Policy>;
  readonly dates?: readonly {
    readonly startsInMs: number;
    /** Of seats 1, 2, …. */
    readonly prices?: readonly Money[];
    /** Instead of prices. */
    readonly plan?: SeatPlan;
    /** Seats that are not for sale. */
    readonly blocked?: readonly number[];
  }[];
};

export const HOUR_MS = 3_600_000;
export const WEEK_MS = 7 * 24 * HOUR_MS;

export const POLICY: Policy = {
  opening: 'fifo',
  opensAt: null,
  activeMax: 2,
  admitPerWindow: 0,
  windowSeconds: 60,
  paused: false,
  waitingMax: 1_000,
  sessionSeconds: 600,
  claimSeconds: 600,
  absentSeconds: 3_600,
  graceSeconds: 300,
  holdSeconds: 300,
  holdSecondsMax: 600,
  refundUntilSeconds: 3_600,
  seatsPerUserMax: 4,
  holdsPerSessionMax: 30,
  strandedSeats: 'off',
};
const DATES: NonNullable<Staged['dates']> = [{ startsInMs: WEEK_MS, prices: [10_000, 20_000, 30_000, 40_000, 50_000] }];

export function stageConcert(concertId: ConcertId, now: number, staged: Staged = {}): StoredConcert {
  const { opensInMs = -HOUR_MS, policy, dates = DATES } = staged;
  return {
    concertId,
    title: 'The Examples',
    venue: 'Small Hall',
    currency: 'KRW',
    salesOpenAt: new Date(now + opensInMs),
    policy: { ...POLICY, ...policy },
    dates: dates.map(({ startsInMs, prices = [], plan, blocked = plan?.blocked ?? [] }) => {
      const startsAt = new Date(now + startsInMs);
      return {
        date: concertDate(startsAt.toISOString().slice(0, 10)),
        startsAt,
        seats: placedSeats(
          plan ? runsOf(plan) : prices.map((price, index) => ({ first: index + 1, last: index + 1, price })),
          blocked,
        ),
      };
    }),
  };
}
