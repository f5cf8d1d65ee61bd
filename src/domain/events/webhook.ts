import type { EndpointId } from '#domain/ids.ts';
import type { EventType, OfferedEventType } from './public-event.ts';

/** Where events are sent to. */
export type Endpoint = {
  readonly endpointId: EndpointId;
  readonly url: string;
  /** Empty: all of them. */
  readonly eventTypes: readonly OfferedEventType[];
  readonly enabled: boolean;
  /** Why it is not: an operator said so, or it answered 410. */
  readonly disabledReason?: 'operator' | 'gone';
  /** Until then messages are signed with the secret before, too. */
  readonly previousSecretUntil?: Date;
  readonly createdAt: Date;
};

export const deliveryStates = ['PENDING', 'DELIVERED', 'FAILED'] as const;
/** PENDING until it arrived (DELIVERED) or was given up (FAILED). */
export type DeliveryState = (typeof deliveryStates)[number];

/** How an attempt ended: with an answer, or without one. */
export type Receipt = { readonly durationMs: number } & (
  | { readonly status: number; readonly retryAfterSeconds?: number }
  | { readonly failure: string }
);

export type Attempt = {
  /** From 1. */
  readonly attempt: number;
  readonly endedAt: Date;
  readonly durationMs: number;
  readonly status?: number;
  readonly failure?: string;
};

/** An event for an endpoint, and what became of it. */
export type Delivery = {
  readonly deliveryId: string;
  readonly endpointId: EndpointId;
  readonly eventId: string;
  readonly type: EventType;
  readonly happenedAt: Date;
  readonly state: DeliveryState;
  readonly attempts: number;
  /**
   * Absent once it is over, and while nobody can say: under way, behind an earlier event of its aggregate, at an endpoint that
   * is switched off.
   */
  readonly nextAttemptAt?: Date;
  readonly endedAt?: Date;
  readonly createdAt: Date;
  /** Absent before the first has ended. */
  readonly lastAttempt?: Attempt;
};

/**
 * The pauses between attempts, in seconds: the first again almost at once, then ever longer, 27½ hours together. After
 * as many failures and one more it is given up.
 */
export const RETRY_SECONDS = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000] as const;
/** A pause is up to this much longer, so that what failed together does not come back together. */
const JITTER = 0.2;
/** An endpoint may ask for a pause, but not for more than the longest of ours. */
const RETRY_AFTER_SECONDS_MAX = Math.max(...RETRY_SECONDS);

const GONE = 410;

/** What follows from an attempt. */
export type AttemptOutcome =
  | { readonly state: 'DELIVERED' }
  | { readonly state: 'PENDING'; readonly retryInMs: number }
  | { readonly state: 'FAILED'; readonly endpointGone: boolean };

/**
 * @param tries how often it was tried, this time included
 * @param random uniform in [0, 1)
 */
export function attemptOutcomeOf(receipt: Receipt, tries: number, random: number): AttemptOutcome {
  const status = 'status' in receipt ? receipt.status : undefined;
  if (status !== undefined && status >= 200 && status < 300) return { state: 'DELIVERED' };
  if (status === GONE) return { state: 'FAILED', endpointGone: true };
  const pauseSeconds = RETRY_SECONDS[tries - 1];
  if (pauseSeconds === undefined) return { state: 'FAILED', endpointGone: false };
  const asked = 'status' in receipt ? (receipt.retryAfterSeconds ?? 0) : 0;
  const seconds = Math.max(pauseSeconds, Math.min(asked, RETRY_AFTER_SECONDS_MAX));
  return { state: 'PENDING', retryInMs: Math.round(seconds * 1_000 * (1 + JITTER * random)) };
}
