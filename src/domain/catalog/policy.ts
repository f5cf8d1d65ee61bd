import type { StrandedSeats } from '#domain/booking/best-seats.ts';
import { Refusal } from '#domain/errors.ts';

export const openings = ['fifo', 'lottery'] as const;
export type Opening = (typeof openings)[number];

/**
 * What an operator decides per concert, and changes while it runs; what is not decided there comes from the settings.
 * Of the two limits of admission either may be switched off with 0, but not both.
 */
export type Policy = {
  /** Who goes first of those who joined before the line opened: whoever came first, or whoever the lots put first. */
  readonly opening: Opening;
  /** From when on people are let in; from when sales open until then they join and wait. Null = as soon as sales open. */
  readonly opensAt: Date | null;
  /** How many people may be let in at once; 0 = no such limit. */
  readonly activeMax: number;
  /** How many people may be let in within any `windowSeconds`; 0 = no such limit. */
  readonly admitPerWindow: number;
  readonly windowSeconds: number;
  /** Nobody is let in; those who are in stay, and those who come may join. */
  readonly paused: boolean;
  /** How many people may wait; whoever comes after is told `queue-full`. */
  readonly waitingMax: number;
  /** How long a session lasts once let in. A hold made meanwhile prolongs it to the end of the hold. */
  readonly sessionSeconds: number;
  /** Whoever does not show up within this time after being let in gives the session back. */
  readonly claimSeconds: number;
  /** Whoever has not polled for this long is passed over at the head of the line. */
  readonly absentSeconds: number;
  /** Whoever was passed over keeps their place for this long: on return they are next. */
  readonly graceSeconds: number;
  /** How long a seat is set aside for a fan who has not paid yet. */
  readonly holdSeconds: number;
  /** How long a hold may be made to last, from when it was made; at or below `holdSeconds` it cannot be extended. */
  readonly holdSecondsMax: number;
  /** What is paid can be given back until so long before its date starts; -1 = not at all. */
  readonly refundUntilSeconds: number;
  /** How many seats of one date a user may hold and own together. */
  readonly seatsPerUserMax: number;
  /** What becomes of a hold that would leave a single free seat beside it where another choice would not. */
  readonly strandedSeats: StrandedSeats;
};

/** What the rules of admission look at. */
export type AdmissionPolicy = Omit<
  Policy,
  | 'opening'
  | 'opensAt'
  | 'waitingMax'
  | 'holdSeconds'
  | 'holdSecondsMax'
  | 'refundUntilSeconds'
  | 'seatsPerUserMax'
  | 'strandedSeats'
>;

/** The decisions that are a number. */
export type PolicyNumber = Exclude<keyof Policy, 'opening' | 'opensAt' | 'paused' | 'strandedSeats'>;

/** From, to. Who polls as told must be able to come within the shortest time that counts as absence. */
export const policyBounds = {
  activeMax: [0, 1_000_000],
  admitPerWindow: [0, 1_000_000],
  windowSeconds: [1, 3_600],
  waitingMax: [1, 100_000_000],
  sessionSeconds: [1, 86_400],
  claimSeconds: [5, 3_600],
  absentSeconds: [5, 86_400],
  graceSeconds: [0, 86_400],
  holdSeconds: [1, 3_600],
  holdSecondsMax: [0, 86_400],
  refundUntilSeconds: [-1, 31_536_000],
  seatsPerUserMax: [1, 1_000],
} as const satisfies Record<PolicyNumber, readonly [min: number, max: number]>;

/** One of the two limits has to be on. Refuses `validation-failed`. */
export function requireLimit({ activeMax, admitPerWindow }: Pick<Policy, 'activeMax' | 'admitPerWindow'>): void {
  if (activeMax > 0 || admitPerWindow > 0) return;
  const message = 'must leave activeMax or admitPerWindow above 0';
  throw new Refusal('validation-failed', { errors: [{ path: 'policy', message }] });
}

/**
 * People join counting on how the line opens: once sales have opened, that stays. Refuses `validation-failed`. When it
 * opens may always change.
 */
export function requireSameOpening(
  { policy, sales }: { readonly policy: Pick<Policy, 'opening'>; readonly sales: 'UPCOMING' | 'OPEN' | 'CLOSED' },
  opening: Opening,
): void {
  if (sales === 'UPCOMING' || opening === policy.opening) return;
  const message = 'must stay as it is once sales have opened: people have joined counting on it';
  throw new Refusal('validation-failed', { errors: [{ path: 'policy/opening', message }] });
}

/** Some of a policy. Null gives a decision back to the settings; what is left out stays. */
export type PolicyChange = { readonly [K in keyof Omit<Policy, 'paused'>]?: Policy[K] | null | undefined } & {
  readonly paused?: boolean | undefined;
};

/** The rules that admission goes by right now: nobody is let in before the line has opened, or while no seat can be had. */
export function admissionPolicy(
  { policy, opened }: { readonly policy: Policy; readonly opened: boolean },
  seatsLeft: { readonly available: number },
): AdmissionPolicy {
  return { ...policy, paused: !admitsAnybody({ policy, opened }, seatsLeft) };
}

/** Whether the next ones in line are let in as there is room for them. */
export function admitsAnybody(
  { policy, opened }: { readonly policy: Pick<Policy, 'paused'>; readonly opened: boolean },
  seatsLeft: { readonly available: number },
): boolean {
  return !policy.paused && opened && seatsLeft.available > 0;
}

/** How many may be let in now: what both limits leave, but no more than one batch. */
export function admissible(
  policy: Pick<Policy, 'activeMax' | 'admitPerWindow' | 'paused'>,
  now: { readonly active: number; readonly admittedInWindow: number },
  batchMax: number,
): number {
  if (policy.paused) return 0;
  const byActive = policy.activeMax === 0 ? batchMax : policy.activeMax - now.active;
  const byWindow = policy.admitPerWindow === 0 ? batchMax : policy.admitPerWindow - now.admittedInWindow;
  return Math.max(0, Math.min(byActive, byWindow, batchMax));
}

/** How many people per second come in when nobody gives a place back before their time: the least that can be promised. */
export function slowestTurnover({ activeMax, sessionSeconds, admitPerWindow, windowSeconds }: Policy): number {
  const bySessions = activeMax === 0 ? Number.POSITIVE_INFINITY : activeMax / sessionSeconds;
  const byWindow = admitPerWindow === 0 ? Number.POSITIVE_INFINITY : admitPerWindow / windowSeconds;
  return Math.min(bySessions, byWindow);
}
