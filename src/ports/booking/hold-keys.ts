import type { Hold } from '#domain/booking/reservation.ts';
import type { IdempotencyKey } from '#domain/idempotency.ts';

/** `repeated`: the same user sent a command for these seats before. It may still run, or it died. */
export type Acquired = 'acquired' | 'repeated';

/**
 * Turn the crowd away from held seats before it reaches the box office. A missing or stale key costs time, never
 * correctness: the box office alone decides.
 *
 * Refuses `unavailable` when the store is.
 */
export type HoldKeys = {
  /**
   * Sets the keys of all seats or of none, for the few seconds that a command may take. Returns `repeated` if the user
   * has one of the keys, or if this command was answered before. Refuses `seat-taken`, naming the seats.
   */
  acquire(hold: Hold, request: IdempotencyKey): Promise<Acquired>;

  /**
   * Prolongs the keys of this reservation to at least this time. Creates and shortens none, so it is safe after the
   * hold's end. Idempotent.
   */
  prolong(hold: Hold, milliseconds: number): Promise<void>;

  /** Creates the missing keys of a hold, for this time, at most for as long as `acquire` does. Returns true if one was missing. */
  putBack(hold: Hold, milliseconds?: number): Promise<boolean>;

  /** Sets the keys for this time, and overwrites others. */
  keep(hold: Hold, milliseconds: number): Promise<void>;

  /** Remembers that this command was answered, so that its repetition is not refused. Idempotent. */
  remember(hold: Hold, request: IdempotencyKey): Promise<void>;

  /** Deletes the keys of this reservation and no others. Idempotent. */
  release(hold: Hold): Promise<void>;
};
