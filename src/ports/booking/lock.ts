import type { SeatSet } from '#domain/booking/reservation.ts';

/** The outcome of work under a lock. `contended`: another command held the lock until the wait timed out. */
export type Locked<T> = { readonly contended: false; readonly value: T } | { readonly contended: true };

/**
 * Spreads contention: as a rule one command at a time works on a seat. It guarantees nothing. The lock may be lost or
 * expire, and without the store the work runs unlocked.
 */
export type Lock = {
  during<T>(seats: SeatSet, work: () => Promise<T>): Promise<Locked<T>>;
};
