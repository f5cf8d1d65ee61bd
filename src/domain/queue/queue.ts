import type { Concert, SeatsLeft } from '#domain/catalog/concert.ts';
import { admitsAnybody, type Policy, slowestTurnover } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import type { ConcertId, UserId } from '#domain/ids.ts';

/** Whose place it is, in which line, and the number drawn on joining. */
export type EntryId = {
  readonly userId: UserId;
  readonly concertId: ConcertId;
  /** Drawn on joining, from 1; never changes, and smaller goes first. */
  readonly sequence: number;
  /** Names the line's memory. Another epoch means that the store lost the line in which this number was drawn. */
  readonly epoch: string;
};

/** What a queue token says. */
export type QueueEntry = EntryId & { readonly joinedAt: Date };

/** Where a claim stands right now. */
export type EntryState =
  | {
      readonly status: 'WAITING';
      /** 1 = next to be let in. Unknown until lots are drawn. */
      readonly position: number | undefined;
      readonly turnover: number;
    }
  | { readonly status: 'ACTIVE'; readonly expiresAt: Date }
  | { readonly status: 'EXPIRED' };

/** Lets only the active pass. Refuses `not-admitted` to those still waiting and `session-expired` to those who were in. */
export function requireActive(state: EntryState): void {
  if (state.status === 'WAITING') {
    throw new Refusal('not-admitted', state.position === undefined ? {} : { position: state.position });
  }
  if (state.status === 'EXPIRED') throw new Refusal('session-expired');
}

/** A fan's standing in the line, as they are told it. */
export type QueueStatus = {
  readonly entry: QueueEntry;
  readonly status: EntryState['status'];
  readonly position?: number;
  readonly aheadCount?: number;
  /** As likely to be let in by then as not. */
  readonly etaSeconds?: number;
  /** Nine of ten are let in by then. */
  readonly etaP90Seconds?: number;
  /** From when on people are let in; told until then. */
  readonly opensAt?: Date;
  /** No seat can be had right now; nobody is let in until one can. */
  readonly soldOut?: boolean;
  /** Told with it: how many seats are held and not paid for, and may come back. */
  readonly seatsHeld?: number;
  readonly expiresAt?: Date;
  readonly pollAfterSeconds: number;
};

/** The same standing, no further back than was told before: another instance may know a little less of the line. */
export function noFurtherBack(queueStatus: QueueStatus, position: number | undefined): QueueStatus {
  if (queueStatus.position === undefined || position === undefined || queueStatus.position <= position)
    return queueStatus;
  return { ...queueStatus, position, aheadCount: position - 1 };
}

/** What a standing depends on besides the place. */
export type SaleState = {
  readonly concert: Pick<Concert, 'policy' | 'opened' | 'opensAt'>;
  readonly seatsLeft: SeatsLeft;
};

/** How long until somebody is let in, in seconds: the median, and what nine of ten stay below. */
export type Eta = { readonly p50: number; readonly p90: number };

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

/** Of the standard normal distribution. */
const QUANTILE_P50 = 0;
const QUANTILE_P90 = 1.2816;
/** The turnover is an average that fades over a minute: it is as sure as a count over twice that. */
const TURNOVER_MEASURED_SECONDS = 120;

/** At the least by what the policy gives if everybody stays as long as they may, at the most by what its window lets in. */
function admissionsPerSecond(turnover: number, policy: Policy): number {
  return Math.min(fastestAdmission(policy), Math.max(turnover, slowestTurnover(policy)));
}

function fastestAdmission({ admitPerWindow, windowSeconds }: Policy): number {
  return admitPerWindow === 0 ? Number.POSITIVE_INFINITY : admitPerWindow / windowSeconds;
}

/**
 * When `position` is let in; undefined while nobody is, or until the turnover (sessions ended per second) was measured.
 *
 * People being let in are taken as a Poisson process whose rate is known from a count of its own, so the time until the
 * n-th is gamma-distributed; its quantiles are by Wilson and Hilferty (PNAS 17, 1931). A window alone decides exactly.
 */
export function etaOf(position: number, turnover: number, policy: Policy): Eta | undefined {
  if (policy.paused || (policy.activeMax > 0 && turnover === 0)) return undefined;
  const rate = admissionsPerSecond(turnover, policy);
  const mean = position / rate;
  if (rate === fastestAdmission(policy)) return { p50: Math.ceil(mean), p90: Math.ceil(mean) };
  if (position === 0) return { p50: 0, p90: 0 };
  const measured = Math.max(1, turnover * TURNOVER_MEASURED_SECONDS);
  const shape = 1 / (1 / position + 1 / measured);
  const quantile = (z: number) => Math.ceil(mean * (1 - 1 / (9 * shape) + z / (3 * Math.sqrt(shape))) ** 3);
  return { p50: quantile(QUANTILE_P50), p90: quantile(QUANTILE_P90) };
}

/**
 * Seconds after which to poll again; a wait that is undefined is a long one. Whoever polls as told is never absent, and
 * claims a session in time. `random` is uniform in [0, 1).
 */
export function pollAfterSeconds(waitSeconds: number | undefined, policy: Presence, random: number): number {
  const jitter = 1 + POLL_JITTER * (2 * random - 1);
  const longest = Math.min(POLL_SECONDS_MAX, POLL_BEFORE_ABSENT * Math.min(policy.absentSeconds, policy.claimSeconds));
  const share = waitSeconds === undefined ? longest : Math.min(longest, waitSeconds / POLLS_PER_WAIT);
  return Math.max(POLL_SECONDS_MIN, Math.round(share * jitter));
}

type Presence = Pick<Policy, 'absentSeconds' | 'claimSeconds'>;

export function queueStatusOf(
  entry: QueueEntry,
  state: EntryState,
  { concert, seatsLeft }: SaleState,
  random: number,
): QueueStatus {
  const { policy, opened, opensAt } = concert;
  if (state.status === 'ACTIVE') {
    return { entry, status: 'ACTIVE', expiresAt: state.expiresAt, pollAfterSeconds: POLL_SECONDS_NOT_WAITING };
  }
  if (state.status === 'EXPIRED') {
    return { entry, status: 'EXPIRED', pollAfterSeconds: POLL_SECONDS_NOT_WAITING };
  }
  const { position, turnover } = state;
  const moves = admitsAnybody(concert, seatsLeft);
  const eta = moves && position !== undefined ? etaOf(position, turnover, policy) : undefined;
  const wait = moves && position !== undefined ? position / admissionsPerSecond(turnover, policy) : undefined;
  return {
    entry,
    status: 'WAITING',
    ...(position === undefined ? {} : { position, aheadCount: position - 1 }),
    ...(eta === undefined ? {} : { etaSeconds: eta.p50, etaP90Seconds: eta.p90 }),
    ...(opened ? {} : { opensAt }),
    ...(seatsLeft.available > 0 ? {} : { soldOut: true, seatsHeld: seatsLeft.held }),
    pollAfterSeconds: pollAfterSeconds(wait, policy, random),
  };
}
