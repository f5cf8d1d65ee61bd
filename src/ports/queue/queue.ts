import type { AdmissionPolicy, Policy } from '#domain/catalog/policy.ts';
import type { ConcertId, UserId } from '#domain/ids.ts';
import type { EntryId, EntryState, QueueEntry } from '#domain/queue/queue.ts';
import type { QueueEvent } from './queue-records.ts';

export type Joined = {
  readonly entry: QueueEntry;
  readonly state: EntryState;
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

export type QueueFigures = {
  readonly waiting: number;
  readonly active: number;
  /** Passed over, within the grace time. */
  readonly absent: number;
  /** How many wait for lots to be drawn. */
  readonly registered: number;
  /** How many numbers were ever drawn. */
  readonly drawn: number;
  /** The smallest number that waits in the line. Whoever has a smaller one was let in or passed over. */
  readonly frontier: number;
  /** Sessions ended per second, smoothed over a minute. */
  readonly turnover: number;
  /** Of a line that was lost: how much longer those who were in it are waited for. */
  readonly rebuildingMs?: number;
};

/**
 * The line and the people let in, per concert. Whatever instance asks, whenever: everybody goes in the order of the
 * numbers drawn on joining, nobody is lost, nobody has two places, and both limits of the policy hold.
 *
 * Whoever waits has to ask now and then. Who has not for `absentSeconds` is passed over when their turn comes, keeps the
 * place for `graceSeconds` at least, and on asking again goes in next, without anybody's position rising for it: a position
 * counts those ahead in the line, not those who are back.
 *
 * A line that its store has lost is rebuilt. For a while nobody joins or is let in; whoever asks meanwhile has their place
 * again, by the number that they drew, and so has whoever asks later, if their number was not passed too long ago.
 *
 * Refuses `unavailable` when the line cannot be reached.
 */
export type Queue = {
  /**
   * Draws a place at the end of the line, or finds the one that the user has, as `find` does. With `opening: 'lottery'` it
   * is a registration until the lots are drawn. Refuses `queue-full`.
   */
  join(concertId: ConcertId, userId: UserId, policy: Pick<Policy, 'waitingMax' | 'opening'>): Promise<Joined>;

  /**
   * Where this place stands, from what is known without asking anybody, less than a second old; undefined near the front,
   * for whoever does not wait, and on any doubt: then `find` knows. Counts as being there, as `find` does.
   */
  recall(entry: QueueEntry): EntryState | undefined;

  /**
   * Where this place stands. Asking counts as being there: it keeps a place that waits, brings back one that was passed
   * over, and claims a session. A place that ended, or that another has replaced, is EXPIRED.
   */
  find(entry: QueueEntry): Promise<EntryState>;

  /**
   * Keeps a session open for the few seconds that a command under way may take, so that it cannot end in the middle
   * of it. Cannot be used to stay: all repetitions together add those seconds once. Answers as `find` does.
   */
  keepOpen(entry: QueueEntry): Promise<EntryState>;

  /** Lets the session last at least this long from now. Never shortens it; claims it; nothing for a place that is not in. */
  extend(state: EntryId, milliseconds: number): Promise<void>;

  /** Gives the place up, waiting, passed over or active. Harmless when repeated, or when it has ended before. */
  leave(state: EntryId): Promise<void>;

  /** The figures of a line, all of one moment. */
  read(concertId: ConcertId): Promise<QueueFigures>;

  /** The same, less than a second old, at no cost to speak of however many ask. */
  survey(concertId: ConcertId): Promise<QueueFigures>;

  /** Calls whenever the line may have moved, at the latest a fraction of a second after it has. Returns what ends it. */
  watch(concertId: ConcertId, onMove: () => void): () => void;

  /**
   * Ends the sessions that have run out or were not claimed in time, passes over who has stopped asking, and lets the next
   * ones in, as one indivisible step. Nobody is let in while lots are still to be drawn among those who have registered.
   */
  admit(concertId: ConcertId, policy: AdmissionPolicy): Promise<Admission>;

  /**
   * Closes the registration and draws lots: all who have registered get a place in the line by lot, and all who come later
   * are behind them. Harmless when repeated, or when several do it; without registration nothing happens.
   */
  drawLots(concertId: ConcertId): Promise<void>;

  /** Looks again at the lines that are being asked for. To be called a few times a second. */
  refresh(): Promise<void>;

  /** Writes down who has asked since the last time. To be called about once a second. */
  writeLastSeen(): Promise<void>;

  /** The oldest events that were not settled, up to about `max`. */
  takeEvents(concertId: ConcertId, max: number): Promise<readonly QueueEvent[]>;

  /** All events up to this one are on record. */
  ackEvents(concertId: ConcertId, last: QueueEvent): Promise<void>;
};
