import type { Hold, OnDate } from '#domain/booking/reservation.ts';
import type { RequestKey } from '#domain/idempotency.ts';
import type { HeldSeat } from './box-office.ts';

/** `repeated`: the same user was here before with a command that may still be running, or may have died. */
export type Claim = 'claimed' | 'repeated';

/** The turn to look after the marks of a date. */
export type Turn = OnDate & { readonly turnId: string };

export type TurnState = 'on' | 'over';

/**
 * Turns the crowd away from seats that are taken before the box office sees it. Fast and forgetful: a mark that is
 * missing or stale makes the service slower, never wrong, because the box office alone decides.
 *
 * Refuses `unavailable` when it cannot be reached.
 */
export type SeatHolds = {
  /**
   * Marks all of the seats, or none, for a few seconds: as long as the command may take. Marks that this user already
   * has do not stand in the way, and neither does anything if this very request was answered before: the box office
   * will give its answer again. In both cases the claim is `repeated`. Refuses `seat-taken`, naming the seats.
   */
  claim(hold: Hold, request: RequestKey): Promise<Claim>;

  /**
   * Lets the marks of this reservation last as long as given. Never marks anything, or shortens a mark: whoever says so late, when
   * the hold may have ended, does no harm.
   */
  prolong(hold: Hold, milliseconds: number): Promise<void>;

  /**
   * Marks those of the seats that nobody has marked, for as long as given, and no longer than `claim` does: what the box office said of
   * somebody else's hold or, without a time, purchase, which may have ended by now.
   */
  note(hold: Hold, milliseconds?: number): Promise<void>;

  /** Marks the seats as long as given, whoever had them marked: what the box office says is so now. */
  keep(hold: Hold, milliseconds: number): Promise<void>;

  /** Remembers that this request has its answer, so that a repetition is not turned away as one of the crowd. */
  remember(hold: Hold, request: RequestKey): Promise<void>;

  /** Takes the marks of this reservation away; those of others stay. Harmless when repeated. */
  release(hold: Hold): Promise<void>;

  /**
   * The turn to compare the marks of a date with the box office: one is given at once where marks were lost, and else about once a
   * minute. Undefined while there is nothing to do, or somebody else is at it; who is and dies is waited for for seconds.
   */
  takeTurn(on: OnDate): Promise<Turn | undefined>;

  /**
   * Marks those of the seats that nobody has marked, for no longer than `claim` does. Prolongs the turn. Marks nothing once the
   * turn is `over`: somebody else has it, or nobody.
   */
  putBack(turn: Turn, seats: readonly HeldSeat[]): Promise<TurnState>;

  /**
   * Lets the marks of these seats last as long as the holds, where they are theirs. Never marks anything, or shortens a mark.
   * Does nothing once the turn is `over`.
   */
  confirm(turn: Turn, seats: readonly HeldSeat[]): Promise<TurnState>;

  /** All marks of the date are there, unless some were lost since the turn was taken. */
  endTurn(turn: Turn): Promise<void>;
};
