import type { Concert } from '#domain/catalog/concert.ts';
import { admitsAnybody, type Policy, slowestTurnover } from '#domain/catalog/policy.ts';
import type { SeatsLeft } from '#domain/catalog/seats-left.ts';
import { Refusal } from '#domain/errors.ts';
import type { ConcertId, UserId } from '#domain/ids.ts';

/** Identifies a queue entry. */
export type EntryId = {
  readonly userId: UserId;
  readonly concertId: ConcertId;
  /** Drawn on joining, from 1. It never changes, and smaller goes first. */
  readonly sequence: number;
  /** Names the queue's memory. Another epoch means that the store lost the queue in which this sequence was drawn. */
  readonly epoch: string;
};

/** The payload of a queue token. */
export type QueueEntry = EntryId & { readonly joinedAt: Date };

/** How fast a queue moves. */
export type Pace = {
  /** Sessions ended per second, smoothed over a minute. */
  readonly turnover: number;
  /** The share of the waiting entries that will be present at the head, from 0 to 1. The others are passed over. */
  readonly presentShare: number;
};

/** The current state of a queue entry. */
export type EntryState =
  | ({
      readonly status: 'WAITING';
      /** 1 = next to be admitted. Unknown until lots are drawn. */
      readonly position: number | undefined;
    } & Pace)
  | { readonly status: 'ACTIVE'; readonly expiresAt: Date }
  | { readonly status: 'EXPIRED' };

/** Refuses `not-admitted` to a waiting entry and `session-expired` to an expired one. */
export function requireActive(state: EntryState): void {
  if (state.status === 'WAITING') {
    throw new Refusal('not-admitted', state.position === undefined ? {} : { position: state.position });
  }
  if (state.status === 'EXPIRED') throw new Refusal('session-expired');
}

/** The answer to a poll. */
export type QueueStatus = {
  readonly entry: QueueEntry;
  readonly status: EntryState['status'];
  readonly position?: number;
  readonly aheadCount?: number;
  /** The median estimate. */
  readonly etaSeconds?: number;
  /** The estimate for nine of ten. */
  readonly etaP90Seconds?: number;
  /** When admission starts; absent afterwards. */
  readonly opensAt?: Date;
  /** No seat is available, so nobody is admitted for now. */
  readonly soldOut?: boolean;
  /** Present with `soldOut`: unpaid seats, which may become available again. */
  readonly seatsHeld?: number;
  readonly expiresAt?: Date;
  readonly pollAfterSeconds: number;
};

/**
 * The same status, never with a larger position than the client saw before: another instance may be slightly behind.
 */
export function noFurtherBack(queueStatus: QueueStatus, position: number | undefined): QueueStatus {
  if (queueStatus.position === undefined || position === undefined || queueStatus.position <= position)
    return queueStatus;
  return { ...queueStatus, position, aheadCount: position - 1 };
}

/** The state of the sale on which a queue status depends. */
export type SaleState = {
  readonly concert: Pick<Concert, 'policy' | 'sales' | 'opened' | 'opensAt' | 'opensInSeconds'>;
  readonly seatsLeft: SeatsLeft;
};

/** Seconds until admission: the median, and the limit for nine of ten. */
export type Eta = { readonly p50: number; readonly p90: number };

const POLL_SECONDS_MIN = 2;
const POLL_SECONDS_MAX = 60;
/** Polling gains nothing once active or expired; it only keeps a background page up to date. */
const POLL_SECONDS_NOT_WAITING = 30;
/** Polls ten times in the remaining wait, so that the estimate is refreshed on the way. */
const POLLS_PER_WAIT = 10;
/** Polls at the latest half-way to absence and to the end of an unclaimed session, however long the wait. */
const POLL_BEFORE_LOSS = 0.5;
/** Spreads clients that joined at the same instant. */
const POLL_JITTER = 0.2;

/** Spreads the last polls before the opening over half of the time that is left. */
const OPENING_SPREAD = 0.5;
/** A concert may have been read this long ago. */
const READ_SECONDS_AGO_MAX = 1;

/** Quantiles of the standard normal distribution. */
const QUANTILE_P50 = 0;
const QUANTILE_P90 = 1.2816;
/** The turnover is an average that fades over a minute, which is as precise as a count over twice that time. */
const TURNOVER_MEASURED_SECONDS = 120;

/** At least the rate if every session lasts its full time, at most the rate of the window. */
function admissionsPerSecond(turnover: number, policy: Policy): number {
  return Math.min(fastestAdmission(policy), Math.max(turnover, slowestTurnover(policy)));
}

function fastestAdmission({ admitPerWindow, windowSeconds }: Policy): number {
  return admitPerWindow === 0 ? Number.POSITIVE_INFINITY : admitPerWindow / windowSeconds;
}

/** How many admissions it takes to admit this position, if the silent entries before it are passed over. */
function admissionsUntil(position: number, { presentShare }: Pace): number {
  return position === 0 ? 0 : 1 + (position - 1) * presentShare;
}

/**
 * Estimates when `position` is admitted. Undefined while nobody is admitted, and until a turnover was measured.
 *
 * Admissions are modelled as a Poisson process whose rate is estimated from a count. So the time until the n-th is
 * gamma-distributed; its quantiles are by Wilson and Hilferty (PNAS 17, 1931). A window alone decides exactly.
 */
export function etaOf(position: number, pace: Pace, policy: Policy): Eta | undefined {
  const { turnover } = pace;
  if (policy.paused || (policy.activeMax > 0 && turnover === 0)) return undefined;
  const rate = admissionsPerSecond(turnover, policy);
  const admissions = admissionsUntil(position, pace);
  const mean = admissions / rate;
  if (rate === fastestAdmission(policy)) return { p50: Math.ceil(mean), p90: Math.ceil(mean) };
  if (position === 0) return { p50: 0, p90: 0 };
  const measured = Math.max(1, turnover * TURNOVER_MEASURED_SECONDS);
  const shape = 1 / (1 / admissions + 1 / measured);
  const quantile = (z: number) => Math.ceil(mean * (1 - 1 / (9 * shape) + z / (3 * Math.sqrt(shape))) ** 3);
  return { p50: quantile(QUANTILE_P50), p90: quantile(QUANTILE_P90) };
}

/**
 * Seconds until the next poll; an undefined wait counts as a long one. A client that polls as told is never absent, claims
 * its session in time, and polls before the queue opens. `random` is uniform in [0, 1).
 */
export function pollAfterSeconds(
  { waitSeconds, opensInSeconds = 0 }: { readonly waitSeconds?: number | undefined; readonly opensInSeconds?: number },
  policy: PollingPolicy,
  random: number,
): number {
  const longest = longestInterval(policy);
  const share = waitSeconds === undefined ? longest : Math.min(longest, waitSeconds / POLLS_PER_WAIT);
  const interval = Math.round(share * (1 + POLL_JITTER * (2 * random - 1)));
  const beforeOpening = Math.floor(opensInSeconds * (1 - OPENING_SPREAD * random)) - READ_SECONDS_AGO_MAX;
  return Math.max(POLL_SECONDS_MIN, opensInSeconds > 0 ? Math.min(interval, beforeOpening) : interval);
}

type PollingPolicy = Pick<Policy, 'absentSeconds' | 'claimSeconds' | 'sessionSeconds'>;

function longestInterval({ absentSeconds, claimSeconds, sessionSeconds }: PollingPolicy): number {
  return Math.min(POLL_SECONDS_MAX, POLL_BEFORE_LOSS * Math.min(absentSeconds, claimSeconds, sessionSeconds));
}

/** No client is told to be silent for longer. */
export function pollSecondsMax(policy: PollingPolicy): number {
  return Math.max(POLL_SECONDS_MIN, Math.ceil(longestInterval(policy) * (1 + POLL_JITTER)));
}

export function queueStatusOf(
  entry: QueueEntry,
  state: EntryState,
  { concert, seatsLeft }: SaleState,
  random: number,
): QueueStatus {
  const { policy, opened, opensAt, opensInSeconds } = concert;
  if (state.status === 'ACTIVE') {
    return { entry, status: 'ACTIVE', expiresAt: state.expiresAt, pollAfterSeconds: POLL_SECONDS_NOT_WAITING };
  }
  // Nobody is admitted after the last date has begun.
  if (state.status === 'EXPIRED' || concert.sales === 'CLOSED') {
    return { entry, status: 'EXPIRED', pollAfterSeconds: POLL_SECONDS_NOT_WAITING };
  }
  const { position } = state;
  const moves = admitsAnybody(concert, seatsLeft);
  const eta = moves && position !== undefined ? etaOf(position, state, policy) : undefined;
  const waitSeconds =
    moves && position !== undefined
      ? admissionsUntil(position, state) / admissionsPerSecond(state.turnover, policy)
      : undefined;
  return {
    entry,
    status: 'WAITING',
    ...(position === undefined ? {} : { position, aheadCount: position - 1 }),
    ...(eta === undefined ? {} : { etaSeconds: eta.p50, etaP90Seconds: eta.p90 }),
    ...(opened ? {} : { opensAt }),
    ...(seatsLeft.available > 0 ? {} : { soldOut: true, seatsHeld: seatsLeft.held }),
    pollAfterSeconds: pollAfterSeconds({ waitSeconds, opensInSeconds }, policy, random),
  };
}
