import type { EndpointId } from '#domain/ids.ts';
import type { EventType, OfferedEventType } from './public-event.ts';

/** A webhook endpoint. */
export type Endpoint = {
  readonly endpointId: EndpointId;
  readonly url: string;
  /** Empty means all. */
  readonly eventTypes: readonly OfferedEventType[];
  readonly enabled: boolean;
  /** Disabled by an operator, or after it answered 410. */
  readonly disabledReason?: 'operator' | 'gone';
  /** Until then the previous secret signs as well. */
  readonly previousSecretUntil?: Date;
  readonly createdAt: Date;
};

export const deliveryStates = ['PENDING', 'DELIVERED', 'FAILED'] as const;
/** PENDING, then DELIVERED, or FAILED after the last attempt. */
export type DeliveryState = (typeof deliveryStates)[number];

/** The end of an attempt: an HTTP answer, or a failure without one. */
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

/** One event for one endpoint. */
export type Delivery = {
  readonly deliveryId: string;
  readonly endpointId: EndpointId;
  readonly eventId: string;
  readonly type: EventType;
  readonly happenedAt: Date;
  readonly state: DeliveryState;
  readonly attempts: number;
  /**
   * Absent after the end, and while it is unknown: during an attempt, or at a disabled endpoint.
   */
  readonly nextAttemptAt?: Date;
  readonly endedAt?: Date;
  readonly createdAt: Date;
  /** Absent until the first attempt has ended. */
  readonly lastAttempt?: Attempt;
};

/**
 * Waits this long before each retry: soon at first, then ever longer, 27½ hours together. A delivery fails after one
 * attempt more than there are pauses.
 */
export const RETRY_SECONDS = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000] as const;
/** Lengthens a pause by up to this share, so that deliveries that failed together are not retried together. */
const JITTER = 0.2;
/** Limits the pause that an endpoint may ask for. */
const RETRY_AFTER_SECONDS_MAX = Math.max(...RETRY_SECONDS);

const GONE = 410;

/** What happens to a delivery after an attempt. */
export type AttemptOutcome =
  | { readonly state: 'DELIVERED' }
  | { readonly state: 'PENDING'; readonly retryInMs: number }
  | { readonly state: 'FAILED'; readonly endpointGone: boolean };

/**
 * @param tries the number of attempts, this one included
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
