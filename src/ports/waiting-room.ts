import type { Policy } from '#domain/concert.ts';
import type { ConcertId, UserId } from '#domain/ids.ts';
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
  /** How many sessions had run out. */
  readonly expired: number;
  readonly active: number;
  readonly waiting: number;
};

/**
 * The line and the people let in, per concert. Whatever instance asks, whenever: everybody goes in the order of the
 * numbers drawn on joining, nobody is lost, nobody has two places, and no more than `activeMax` are in.
 *
 * Refuses `unavailable` when the line cannot be reached.
 */
export type WaitingRoom = {
  /** Draws a place at the end of the line, or finds the one that the user has. Refuses `queue-full`. */
  join(concertId: ConcertId, userId: UserId, limits: Pick<Policy, 'waitingMax'>): Promise<Joined>;

  /** Where this place stands. One that ended, or that another has replaced since, is EXPIRED. */
  find(place: PlaceId): Promise<Place>;

  /**
   * Keeps a session open for the few seconds that a command under way may take, so that it cannot end in the middle
   * of it. Cannot be used to stay: all repetitions together add those seconds once. Answers as `find` does.
   */
  settle(place: PlaceId): Promise<Place>;

  /** Lets the session last at least this long from now. Never shortens it; does nothing for a place that is not in. */
  extend(place: PlaceId, milliseconds: number): Promise<void>;

  /** Gives the place up, waiting or active. Harmless when repeated, or when it has ended before. */
  leave(place: PlaceId): Promise<void>;

  /** Ends the sessions that have run out and lets the next ones in, as one indivisible step. */
  admit(concertId: ConcertId, policy: Pick<Policy, 'activeMax' | 'sessionSeconds'>): Promise<Admission>;
};
