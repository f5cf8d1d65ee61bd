import { Refusal } from './errors.ts';
import type { ConcertId, UserId } from './ids.ts';
import { type Policy, slowestTurnover } from './policy.ts';

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
/** At the latest half-way to where silence costs the place, whatever the wait. */
const POLL_BEFORE_ABSENT = 0.5;
/** Spreads fans who joined in the same instant, so that they do not come back in the same instant. */
const POLL_JITTER = 0.2;

/**
 * Seconds until `position` is let in, or undefined while nobody is.
 *
 * The rate is the measured turnover (sessions ended per second), but at least what the policy gives if everybody stays
 * as long as they may, and at most what its window lets in.
 */
export function etaSeconds(position: number, turnover: number, policy: Policy): number | undefined {
  if (policy.paused) return undefined;
  const { admitPerWindow, windowSeconds } = policy;
  const fastest = admitPerWindow === 0 ? Number.POSITIVE_INFINITY : admitPerWindow / windowSeconds;
  return Math.ceil(position / Math.min(fastest, Math.max(turnover, slowestTurnover(policy))));
}

/**
 * Seconds after which to poll again; an unknown wait is a long one. Whoever polls as told is never absent, and claims a
 * session in time. `random` is uniform in [0, 1).
 */
export function pollAfterSeconds(eta: number | undefined, policy: Presence, random: number): number {
  const jitter = 1 + POLL_JITTER * (2 * random - 1);
  const longest = Math.min(POLL_SECONDS_MAX, POLL_BEFORE_ABSENT * Math.min(policy.absentSeconds, policy.claimSeconds));
  const share = eta === undefined ? longest : Math.min(longest, eta / POLLS_PER_WAIT);
  return Math.max(POLL_SECONDS_MIN, Math.round(share * jitter));
}

type Presence = Pick<Policy, 'absentSeconds' | 'claimSeconds'>;

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
    ...(eta === undefined ? {} : { etaSeconds: eta }),
    pollAfterSeconds: pollAfterSeconds(eta, policy, random),
  };
}
