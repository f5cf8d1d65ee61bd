import type { AdmissionPolicy, Policy } from '#domain/catalog/policy.ts';
import type { ConcertId, UserId } from '#domain/ids.ts';
import type { EntryId, EntryState, Pace, QueueEntry } from '#domain/queue/queue.ts';
import type { QueueEvent } from './queue-records.ts';

export type Joined = {
  readonly entry: QueueEntry;
  readonly state: EntryState;
  /** False if the user already had this entry. */
  readonly fresh: boolean;
};

export type Admission = {
  /** Entries admitted by this call. */
  readonly admitted: number;
  /** Sessions that ended at their time limit, or were not claimed in time. */
  readonly expired: number;
  /** Entries at the head that were absent. */
  readonly passedOver: number;
  readonly active: number;
  readonly waiting: number;
};

export type QueueFigures = Pace & {
  readonly waiting: number;
  readonly active: number;
  /** Entries passed over that may still rejoin. */
  readonly absent: number;
  /** Entries that wait for lots to be drawn. */
  readonly registered: number;
  /** The last sequence drawn. */
  readonly drawn: number;
  /** The smallest sequence that waits. Smaller ones were admitted or passed over. */
  readonly head: number;
  /** After a loss, the time until admission resumes. */
  readonly rebuildingMs?: number;
};

/**
 * The entries and active sessions of each concert.
 * - Entries are admitted in the order of their sequence, on all instances. No entry is lost, no user has two, and both
 *   limits of the policy hold.
 * - An entry without a heartbeat for `absentSeconds` is passed over at the head. It may rejoin for at least
 *   `graceSeconds`, and is then next. Other positions do not rise: a position does not count rejoined entries.
 * - A queue that the store has lost is rebuilt. For a time nobody joins or is admitted; an entry whose client asks is
 *   restored by its sequence. Later ones are restored too, unless the head passed their sequence too long ago.
 *
 * Refuses `unavailable` when the store is.
 */
export type Queue = {
  /**
   * Draws a sequence at the end of the queue, or returns the user's entry as `find` does. With `opening: 'lottery'` it
   * registers the entry until lots are drawn. Refuses `queue-full`.
   */
  join(concertId: ConcertId, userId: UserId, policy: Pick<Policy, 'waitingMax' | 'opening'>): Promise<Joined>;

  /**
   * The state of an entry from memory, less than a second old. Undefined near the head, for an entry that does not wait,
   * and in doubt: call `find`. Counts as a heartbeat.
   */
  recall(entry: QueueEntry): EntryState | undefined;

  /**
   * The state of an entry. Counts as a heartbeat: it keeps a waiting entry, rejoins an absent one, claims a session. An
   * entry that ended or was replaced is EXPIRED.
   */
  find(entry: QueueEntry): Promise<EntryState>;

  /**
   * Keeps a session open for the few seconds that a running command may take. Repeated calls add those seconds only
   * once. Returns what `find` returns.
   */
  keepOpen(entry: QueueEntry): Promise<EntryState>;

  /**
   * Prolongs a session to at least this time from now, and claims it. Ignores an entry that is not active. Idempotent.
   */
  extend(entry: EntryId, milliseconds: number): Promise<void>;

  /** Removes an entry, whether waiting, absent or active. Idempotent. */
  leave(entry: EntryId): Promise<void>;

  /** The figures of a queue, all of one moment. */
  read(concertId: ConcertId): Promise<QueueFigures>;

  /** The same from memory, less than a second old. */
  survey(concertId: ConcertId): Promise<QueueFigures>;

  /**
   * Calls back at most a fraction of a second after the queue has moved. May call without a move. Returns the function
   * that ends it.
   */
  watch(concertId: ConcertId, onMove: () => void): () => void;

  /**
   * Ends sessions that ran out or were not claimed, passes over absent entries, and admits the next ones, in one atomic
   * step. Admits nobody while lots are to be drawn among registered entries.
   */
  admit(concertId: ConcertId, policy: AdmissionPolicy): Promise<Admission>;

  /**
   * Closes the registration and draws lots: registered entries are ordered by lot, later ones follow. Idempotent; does
   * nothing without a registration.
   */
  drawLots(concertId: ConcertId): Promise<void>;

  /** Refreshes the figures in memory. To be called a few times a second. */
  refresh(): Promise<void>;

  /** Writes the heartbeats since the last call. To be called about once a second. */
  writeLastSeen(): Promise<void>;

  /** Returns the oldest events that were not acknowledged, about `max` at most. */
  takeEvents(concertId: ConcertId, max: number): Promise<readonly QueueEvent[]>;

  /** Drops the events up to this one, as they are on record. Idempotent. */
  ackEvents(concertId: ConcertId, last: QueueEvent): Promise<void>;
};
