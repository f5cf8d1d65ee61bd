import type { Policy } from './concert.ts';
import { Refusal } from './errors.ts';
import type { ConcertId, UserId } from './ids.ts';

/** Whose place it is, in which line, and the number drawn on joining. */
export type PlaceId = {
  readonly userId: UserId;
  readonly concertId: ConcertId;
  /** Drawn on joining, from 1; never changes, and smaller goes first. */
  readonly sequence: number;
  /** Names the line's memory. Another epoch means that the store lost the line in which this number was drawn. */
  readonly epoch: string;
};

/** What a queue token says. */
export type QueueClaim = PlaceId & { readonly joinedAt: Date };

/** Where a claim stands right now. */
export type Place =
  | { readonly status: 'WAITING' /** 1 = next to be let in. */; readonly position: number; readonly turnover: number }
  | { readonly status: 'ACTIVE'; readonly expiresAt: Date }
  | { readonly status: 'EXPIRED' };

/** Lets only the active pass. Refuses `not-admitted` to those still waiting and `session-expired` to those who were in. */
export function requireActive(place: Place): void {
  if (place.status === 'WAITING') throw new Refusal('not-admitted', { position: place.position });
  if (place.status === 'EXPIRED') throw new Refusal('session-expired');
}

/** A fan's standing in the line, as they are told it. */
export type Standing = {
  readonly claim: QueueClaim;
  readonly status: Place['status'];
  readonly position?: number;
  readonly aheadCount?: number;
  readonly etaSeconds?: number;
  readonly expiresAt?: Date;
  readonly pollAfterSeconds: number;
};

const POLL_SECONDS_MIN = 2;
const POLL_SECONDS_MAX = 60;
/** An active or expired fan gains nothing by polling; this only keeps a page in the background up to date. */
const POLL_SECONDS_NOT_WAITING = 30;
/** A tenth of the remaining wait: the estimate is refreshed ten times on the way, the last times at the minimum. */
const POLLS_PER_WAIT = 10;
/** Spreads fans who joined in the same instant, so that they do not come back in the same instant. */
const POLL_JITTER = 0.2;

/**
 * Seconds until `position` is let in.
 *
 * The rate is the measured turnover (sessions ended per second). In a full house nobody stays longer than
 * `sessionSeconds`, so places come free at `activeMax / sessionSeconds` at least, whatever was measured so far.
 */
export function etaSeconds(position: number, turnover: number, policy: Policy): number {
  const slowest = policy.activeMax / policy.sessionSeconds;
  return Math.ceil(position / Math.max(turnover, slowest));
}

/** Seconds after which to poll again. `random` is uniform in [0, 1). */
export function pollAfterSeconds(eta: number, random: number): number {
  const jitter = 1 + POLL_JITTER * (2 * random - 1);
  const seconds = Math.round((eta / POLLS_PER_WAIT) * jitter);
  return Math.min(POLL_SECONDS_MAX, Math.max(POLL_SECONDS_MIN, seconds));
}

/** How many may be let in now: what the limit leaves, but no more than one batch. */
export function admissible(active: number, activeMax: number, batchMax: number): number {
  return Math.min(Math.max(0, activeMax - active), batchMax);
}

export function standingOf(claim: QueueClaim, place: Place, policy: Policy, random: number): Standing {
  if (place.status === 'ACTIVE') {
    return { claim, status: 'ACTIVE', expiresAt: place.expiresAt, pollAfterSeconds: POLL_SECONDS_NOT_WAITING };
  }
  if (place.status === 'EXPIRED') {
    return { claim, status: 'EXPIRED', pollAfterSeconds: POLL_SECONDS_NOT_WAITING };
  }
  const eta = etaSeconds(place.position, place.turnover, policy);
  return {
    claim,
    status: 'WAITING',
    position: place.position,
    aheadCount: place.position - 1,
    etaSeconds: eta,
    pollAfterSeconds: pollAfterSeconds(eta, random),
  };
}
