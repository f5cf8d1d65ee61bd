import type { OrphanSeats } from '#domain/booking/best-seats.ts';
import { Refusal } from '#domain/errors.ts';
import type { SeatsLeft } from './seats-left.ts';

export const openings = ['fifo', 'lottery'] as const;
export type Opening = (typeof openings)[number];

/**
 * Decided per concert by an operator, also during the sale. The settings give the defaults. Of the two limits of
 * admission, 0 disables one, never both.
 */
export type Policy = {
  /** The order of the entries that joined before the queue opened: by arrival, or by lot. */
  readonly opening: Opening;
  /** Admission starts at this time; until then entries join and wait. Null means when sales open. */
  readonly opensAt: Date | null;
  /** Limits the active sessions; 0 means no limit. */
  readonly activeMax: number;
  /** Limits the admissions within any `windowSeconds`; 0 means no limit. */
  readonly admitPerWindow: number;
  readonly windowSeconds: number;
  /** Stops admission. Sessions go on, and clients may still join. */
  readonly paused: boolean;
  /** Limits the waiting entries; further clients get `queue-full`. */
  readonly waitingMax: number;
  /** Limits a session. A hold prolongs its session to the end of the hold. */
  readonly sessionSeconds: number;
  /** An admitted session ends if its client sends no request within this time. */
  readonly claimSeconds: number;
  /** An entry without a heartbeat for this long is passed over at the head. */
  readonly absentSeconds: number;
  /** An entry that was passed over may rejoin for this long, and is then next. */
  readonly graceSeconds: number;
  /** Limits an unpaid hold. */
  readonly holdSeconds: number;
  /** Limits an extended hold, counted from when it was made. At or below `holdSeconds`, holds cannot be extended. */
  readonly holdSecondsMax: number;
  /** Refunds end this long before the date starts; -1 means no refunds. */
  readonly refundUntilSeconds: number;
  /** Limits the seats of one date that a user may hold and own together. */
  readonly seatsPerUserMax: number;
  /** Limits the holds that a user makes within `sessionSeconds`, released ones included. */
  readonly holdsPerSessionMax: number;
  /** What happens to a hold that would leave an orphan seat that another choice would avoid. */
  readonly strandedSeats: OrphanSeats;
};

/** The part of a policy that admission needs. */
export type AdmissionPolicy = Omit<
  Policy,
  | 'opening'
  | 'opensAt'
  | 'waitingMax'
  | 'refundUntilSeconds'
  | 'seatsPerUserMax'
  | 'holdsPerSessionMax'
  | 'strandedSeats'
> & {
  /** Plenty by default. */
  readonly seatsLeft?: SeatsLeft;
};

/** The numeric fields. */
export type PolicyNumber = Exclude<keyof Policy, 'opening' | 'opensAt' | 'paused' | 'strandedSeats'>;

/** Minimum and maximum. Sessions, claims and absences must be longer than the shortest poll interval, 2 s. */
export const policyBounds = {
  activeMax: [0, 1_000_000],
  admitPerWindow: [0, 1_000_000],
  windowSeconds: [1, 3_600],
  waitingMax: [1, 100_000_000],
  sessionSeconds: [5, 86_400],
  claimSeconds: [5, 3_600],
  absentSeconds: [5, 86_400],
  graceSeconds: [0, 86_400],
  holdSeconds: [1, 3_600],
  holdSecondsMax: [0, 86_400],
  refundUntilSeconds: [-1, 31_536_000],
  seatsPerUserMax: [1, 1_000],
  holdsPerSessionMax: [1, 10_000],
} as const satisfies Record<PolicyNumber, readonly [min: number, max: number]>;

/** Refuses `validation-failed` if neither limit of admission is set. */
export function requireLimit({ activeMax, admitPerWindow }: Pick<Policy, 'activeMax' | 'admitPerWindow'>): void {
  if (activeMax > 0 || admitPerWindow > 0) return;
  const message = 'must leave activeMax or admitPerWindow above 0';
  throw new Refusal('validation-failed', { errors: [{ path: 'policy', message }] });
}

/**
 * Refuses `validation-failed` if the opening would change after sales have opened: clients joined under the old one.
 * `opensAt` may change at any time.
 */
export function requireSameOpening(
  { policy, sales }: { readonly policy: Pick<Policy, 'opening'>; readonly sales: 'UPCOMING' | 'OPEN' | 'CLOSED' },
  opening: Opening,
): void {
  if (sales === 'UPCOMING' || opening === policy.opening) return;
  const message = 'must stay as it is once sales have opened: people have joined counting on it';
  throw new Refusal('validation-failed', { errors: [{ path: 'policy/opening', message }] });
}

/** Refuses `validation-failed` if the queue would open when no date is to come: it would never admit anybody. */
export function requireOpeningInTime(opensAt: Date, lastStartsAt: Date): void {
  if (opensAt < lastStartsAt) return;
  throw new Refusal('validation-failed', {
    errors: [{ path: 'policy/opensAt', message: 'must be before the last date' }],
  });
}

/** A partial policy. Null restores the default; a field that is left out stays. */
export type PolicyChange = { readonly [K in keyof Omit<Policy, 'paused'>]?: Policy[K] | null | undefined } & {
  readonly paused?: boolean | undefined;
};

/** The policy for admission now: paused before the queue opens, and while no seat is available. */
export function admissionPolicy(
  { policy, opened }: { readonly policy: Policy; readonly opened: boolean },
  seatsLeft: SeatsLeft,
): AdmissionPolicy {
  return { ...policy, paused: !admitsAnybody({ policy, opened }, seatsLeft), seatsLeft };
}

/** Whether entries may be admitted now. */
export function admitsAnybody(
  { policy, opened }: { readonly policy: Pick<Policy, 'paused'>; readonly opened: boolean },
  seatsLeft: { readonly available: number },
): boolean {
  return !policy.paused && opened && seatsLeft.available > 0;
}

/** Admits this many users per returned seat, as some of them do not hold it. */
const ACTIVE_PER_SEAT = 3;

/** The limit of active sessions once a concert was sold out: a few per available seat, and one per held seat. */
export function activeMaxAfterSoldOut({ available, held }: SeatsLeft): number {
  return ACTIVE_PER_SEAT * available + held;
}

/** How many entries the limits allow now, at most one batch. */
export function admissible(
  policy: Pick<AdmissionPolicy, 'activeMax' | 'admitPerWindow' | 'paused' | 'seatsLeft'>,
  now: { readonly active: number; readonly admittedInWindow: number; readonly wasSoldOut?: boolean },
  batchMax: number,
): number {
  if (policy.paused) return 0;
  const activeMax = policy.activeMax === 0 ? Number.POSITIVE_INFINITY : policy.activeMax;
  const { wasSoldOut = false } = now;
  const bySeats = wasSoldOut && policy.seatsLeft ? activeMaxAfterSoldOut(policy.seatsLeft) : activeMax;
  const byActive = Math.min(activeMax, bySeats) - now.active;
  const byWindow = policy.admitPerWindow === 0 ? batchMax : policy.admitPerWindow - now.admittedInWindow;
  return Math.max(0, Math.min(byActive, byWindow, batchMax));
}

/** Admissions per second if every session lasts its full time: the guaranteed minimum. */
export function slowestTurnover({ activeMax, sessionSeconds, admitPerWindow, windowSeconds }: Policy): number {
  const bySessions = activeMax === 0 ? Number.POSITIVE_INFINITY : activeMax / sessionSeconds;
  const byWindow = admitPerWindow === 0 ? Number.POSITIVE_INFINITY : admitPerWindow / windowSeconds;
  return Math.min(bySessions, byWindow);
}
