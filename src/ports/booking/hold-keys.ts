import type { Hold } from '#domain/booking/reservation.ts';
import type { RequestKey } from '#domain/idempotency.ts';

/** `repeated`: the same user has sent a command for these seats that may be running, or may have died. */
export type Claim = 'claimed' | 'repeated';

/**
 * Turn the crowd away from held seats before it reaches the box office. A missing or stale key makes the service slower, never
 * wrong: the box office alone decides.
 *
 * Refuses `unavailable` when the store is.
 */
export type HoldKeys = {
  /**
   * Sets the keys of all seats, or of none, for the few seconds that the command may take. `repeated` if the user holds one of
   * the keys, or if this command was answered before. Refuses `seat-taken`, naming the seats.
   */
  claim(hold: Hold, request: RequestKey): Promise<Claim>;

  /** Lets the keys of this reservation last at least this long. Sets none and shortens none: harmless after the hold's end. */
  prolong(hold: Hold, milliseconds: number): Promise<void>;

  /** Sets the missing keys of a hold for as long as `claim` does. True if one was missing. */
  putBack(hold: Hold): Promise<boolean>;

  /** Sets the keys for this long, whatever they were. */
  keep(hold: Hold, milliseconds: number): Promise<void>;

  /** Remembers that this command has its answer, so that a repetition is not turned away. */
  remember(hold: Hold, request: RequestKey): Promise<void>;

  /** Deletes the keys of this reservation; keys of others stay. Idempotent. */
  release(hold: Hold): Promise<void>;
};
