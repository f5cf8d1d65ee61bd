import type { ConcertId, UserId } from '#domain/ids.ts';
import type { EntryId } from '#domain/queue/queue.ts';

/** What is on record of a line, where it is not lost with Redis's memory. */
export type QueueRecord = {
  /** Names the line for good: the tokens of its people carry it. 8 base64url characters (6 bytes). */
  readonly epoch: string;
  /** False when this call has begun the line. True when it was begun before: whoever finds no line in Redis has lost it. */
  readonly known: boolean;
  /** Numbers drawn, and the first number still waiting, as last noted: at least these. */
  readonly drawn: number;
  readonly frontier: number;
  /** Whether lots are still to be drawn among those who join. */
  readonly registering: boolean;
  /** Present once they are. */
  readonly draw?: Draw;
  /** Who holds seats that are not paid for yet, by number: their sessions go on for at least as long. */
  readonly sessions: readonly { readonly userId: UserId; readonly sequence: number; readonly remainingMs: number }[];
  /** The numbers whose sessions ended with a payment, refunded since or not, ascending. */
  readonly paid: readonly number[];
};

/** How lots were drawn: with these anybody can draw them again. The seed is in hexadecimal. */
export type Draw = { readonly seed: string; readonly count: number };

/** Something that happened to a place. */
export type QueueEvent = {
  /** `milliseconds-counter-index`, as the log of the line numbered it: these sort in the order in which things happened. */
  readonly eventId: string;
  /** `ended`: the session, by paying, by leaving, or because its time had come. */
  readonly kind: 'admitted' | 'passed-over' | 'returned' | 'left' | 'forgotten' | 'restored' | 'ended';
  /** The number drawn on joining. */
  readonly sequence: number;
  /** The place in the order of admission: the sequence, or what the lots gave. */
  readonly order: number;
  /** Absent where that was lost. */
  readonly joinedAt: Date | undefined;
  readonly at: Date;
};

/** Somebody who is in as far as is on record, for how much longer at the most. */
export type SessionOnRecord = { readonly remainingMs: number };

/**
 * The record of the lines. It decides nothing: the waiting room does, and finds here what it needs to go on after it has
 * lost its memory, and whoever wants to know whether it was fair finds what happened.
 *
 * Refuses `busy` or `unavailable` when the store is.
 */
export type QueueRecords = {
  /** Finds the line of a concert, or begins it. Any number may call it at once: there is one line. Refuses `concert-not-found`. */
  open(concertId: ConcertId): Promise<QueueRecord>;

  /** Notes how far a line has come. Never lowers what is noted. */
  note(concertId: ConcertId, progress: { readonly drawn: number; readonly frontier: number }): Promise<void>;

  /**
   * Closes the registration of a concert where lots are drawn at this many people, unless it is closed: the draw as it is
   * on record then, its seed public from now on.
   */
  draw(concertId: ConcertId, count: number): Promise<Draw>;

  /**
   * The session of a place, as far as the record tells: let in less than `sessionSeconds` ago or holding seats that are not
   * paid for yet, and nothing else has happened to the place since. Undefined of whoever was never let in, or has paid; and on any
   * doubt. The record is as old as `record` was last called: who left since is still in, and so is whose session was lost.
   */
  findSession(entry: EntryId, sessionSeconds: number): Promise<SessionOnRecord | undefined>;

  /** Adds to the record what is not on it yet, by its `eventId`. Nothing is ever changed there, or taken away. */
  record(concertId: ConcertId, events: readonly QueueEvent[]): Promise<void>;
};
