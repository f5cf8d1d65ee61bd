import type { SeatSet } from '#domain/booking/reservation.ts';

/** What came of working under a lock: `contended` means that somebody else had it for longer than we care to wait. */
export type Locked<T> = { readonly contended: false; readonly value: T } | { readonly contended: true };

/**
 * Spreads contention: as a rule one command at a time works on a seat. It is no guarantee. It may be lost, run out or
 * be out of reach (then the work is done without it), so nothing may be right only because of it.
 */
export type Lock = {
  during<T>(seats: SeatSet, work: () => Promise<T>): Promise<Locked<T>>;
};
