import type { ConcertId, UserId } from '#domain/ids.ts';
import type { AdmissionPolicy, Policy } from '#domain/policy.ts';
import type { Place, PlaceId, QueueClaim } from '#domain/queue.ts';

export type Joined = {
  readonly claim: QueueClaim;
  readonly place: Place;
  /** False when the user already had this place. */
  readonly fresh: boolean;
};

export type Admission = {
  /** How many were let in by this call. */
  readonly admitted: number;
  /** How many sessions had run out, or were not claimed in time. */
  readonly expired: number;
  /** How many at the head had stopped asking. */
  readonly passedOver: number;
  readonly active: number;
  readonly waiting: number;
};

export type LineFigures = {
  readonly waiting: number;
  readonly active: number;
  /** Passed over, within the grace time. */
  readonly absent: number;
  /** How many numbers were ever drawn. */
  readonly drawn: number;
  /** Sessions ended per second, smoothed over a minute. */
  readonly turnover: number;
};

/**
 * The line and the people let in, per concert. Whatever instance asks, whenever: everybody goes in the order of the
 * numbers drawn on joining, nobody is lost, nobody has two places, and both limits of the policy hold.
 *
 * Whoever waits has to ask now and then. Who has not for `absentSeconds` is passed over when their turn comes, keeps the
 * place for `graceSeconds` at least, and on asking again goes in next, without anybody's position rising for it: a position
 * counts those ahead in the line, not those who are back.
 *
 * Refuses `unavailable` when the line cannot be reached.
 */
export type WaitingRoom = {
  /** Draws a place at the end of the line, or finds the one that the user has, as `find` does. Refuses `queue-full`. */
  join(concertId: ConcertId, userId: UserId, limits: Pick<Policy, 'waitingMax'>): Promise<Joined>;

  /**
   * Where this place stands. Asking counts as being there: it keeps a place that waits, brings back one that was passed
   * over, and claims a session. A place that ended, or that another has replaced, is EXPIRED.
   */
  find(place: PlaceId): Promise<Place>;

  /**
   * Keeps a session open for the few seconds that a command under way may take, so that it cannot end in the middle
   * of it. Cannot be used to stay: all repetitions together add those seconds once. Answers as `find` does.
   */
  settle(place: PlaceId): Promise<Place>;

  /** Lets the session last at least this long from now. Never shortens it; claims it; nothing for a place that is not in. */
  extend(place: PlaceId, milliseconds: number): Promise<void>;

  /** Gives the place up, waiting, passed over or active. Harmless when repeated, or when it has ended before. */
  leave(place: PlaceId): Promise<void>;

  /** The figures of a line, all of one moment. */
  read(concertId: ConcertId): Promise<LineFigures>;

  /**
   * Ends the sessions that have run out or were not claimed in time, passes over who has stopped asking, and lets the next
   * ones in, as one indivisible step.
   */
  admit(concertId: ConcertId, policy: AdmissionPolicy): Promise<Admission>;
};
