import type { ConcertId, UserId } from '#domain/ids.ts';
import type { EntryId } from '#domain/queue/queue.ts';

/** The durable record of a queue, which survives a loss of Redis's memory. */
export type QueueRecord = {
  /** Names the queue; queue tokens carry it. 8 base64url characters (6 bytes). */
  readonly epoch: string;
  /** False if this call created the record. True without a queue in Redis means that Redis lost the queue. */
  readonly known: boolean;
  /** The last sequence drawn and the head, as last noted: lower bounds. */
  readonly drawn: number;
  readonly head: number;
  /** Whether the lots of a lottery are still to be drawn. */
  readonly registering: boolean;
  /** Present once lots are drawn. */
  readonly draw?: Draw;
  /** The sessions with unpaid holds. Each lasts at least as long as its hold. */
  readonly sessions: readonly {
    readonly userId: UserId;
    readonly sequence: number;
    readonly remainingMs: number;
    /** Absent if it is not on record yet. */
    readonly joinedAt?: Date;
  }[];
  /** The sequences whose sessions ended with a payment, also if refunded since. Ascending. */
  readonly paid: readonly number[];
};

/** How far a queue was when it was last noted: lower bounds. */
export type QueueProgress = Pick<QueueRecord, 'epoch' | 'drawn' | 'head'>;

/** The inputs from which anybody can repeat the draw. The seed is in hexadecimal. */
export type Draw = { readonly seed: string; readonly count: number };

/** A change of a queue entry. */
export type QueueEvent = {
  /** `milliseconds-counter-index`, as numbered by the queue's log. Ids sort in the order of the events. */
  readonly eventId: string;
  /** `ended`: the session ended by payment, by leaving, or at its time limit. */
  readonly kind: 'admitted' | 'passed-over' | 'returned' | 'left' | 'forgotten' | 'restored' | 'ended';
  readonly sequence: number;
  /** The rank in the order of admission: the sequence, or the result of the draw. */
  readonly order: number;
  /** Absent if it was lost. */
  readonly joinedAt: Date | undefined;
  readonly at: Date;
};

/** An active session by the record, and its longest remaining time. */
export type SessionOnRecord = { readonly remainingMs: number };

/**
 * The durable record of the queues. It decides nothing. The queue restores itself from it after a loss, and audits read
 * it.
 *
 * Refuses `busy` or `unavailable` when the store is.
 */
export type QueueRecords = {
  /**
   * Returns the record of a concert's queue, and creates it if there is none. Idempotent. Refuses `concert-not-found`.
   */
  open(concertId: ConcertId): Promise<QueueRecord>;

  /** Returns the progress last noted; undefined for a queue that was never opened. */
  findProgress(concertId: ConcertId): Promise<QueueProgress | undefined>;

  /** Notes the progress of a queue. Never lowers a noted value. Idempotent. */
  note(concertId: ConcertId, progress: { readonly drawn: number; readonly head: number }): Promise<void>;

  /**
   * Closes the registration and draws lots among `count` entries. Returns the draw on record; from then on its seed is
   * public. Idempotent.
   */
  draw(concertId: ConcertId, count: number): Promise<Draw>;

  /**
   * Returns the session of an entry if the record shows one: admitted less than `sessionSeconds` ago, or with unpaid
   * holds, and no later event of the entry.
   * - Returns undefined for an entry that was never admitted or has paid, and in doubt.
   * - As fresh as the last `record`: it may return a session that was left or lost since.
   */
  findSession(entry: EntryId, sessionSeconds: number): Promise<SessionOnRecord | undefined>;

  /** Appends the events that are not on record yet, by `eventId`. Idempotent. */
  record(concertId: ConcertId, events: readonly QueueEvent[]): Promise<void>;
};
