import type { Hold, SeatSet } from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import type { IdempotencyKey } from '#domain/idempotency.ts';
import type { HoldKeys } from '#ports/booking/hold-keys.ts';
import type { MemoryClock } from './memory-clock.ts';

export const ACQUIRED_TTL_MS = 10_000;

type Key = Pick<Hold, 'userId' | 'reservationId'> & { readonly until: number };

export type MemoryHoldKeys = HoldKeys & {
  /** Loses all keys and remembered answers. */
  lose(): void;
};

export function memoryHoldKeys(clock: MemoryClock): MemoryHoldKeys {
  const keys = new Map<string, Key>();
  const answered = new Set<string>();

  function holderOf(seats: SeatSet, seatNumber: number): Key | undefined {
    const key = keys.get(seatKey(seats, seatNumber));
    return key !== undefined && key.until > clock.now() ? key : undefined;
  }

  function set({ userId, reservationId, ...seats }: Hold, seatNumber: number, milliseconds: number): void {
    keys.set(seatKey(seats, seatNumber), { userId, reservationId, until: clock.now() + milliseconds });
  }

  return {
    async acquire(hold, request) {
      if (answered.has(idempotencyKey(request))) return 'repeated';
      const taken = hold.seatNumbers.filter((seatNumber) => {
        const holder = holderOf(hold, seatNumber)?.userId;
        return holder !== undefined && holder !== hold.userId;
      });
      if (taken.length > 0) throw new Refusal('seat-taken', { seatNumbers: taken });
      const free = hold.seatNumbers.filter((seatNumber) => holderOf(hold, seatNumber) === undefined);
      for (const seatNumber of free) set(hold, seatNumber, ACQUIRED_TTL_MS);
      return free.length === hold.seatNumbers.length ? 'acquired' : 'repeated';
    },

    async prolong(hold, milliseconds) {
      for (const seatNumber of hold.seatNumbers) {
        const current = holderOf(hold, seatNumber);
        if (current?.reservationId !== hold.reservationId) continue;
        set(hold, seatNumber, Math.max(current.until - clock.now(), milliseconds));
      }
    },

    async putBack(hold, milliseconds = ACQUIRED_TTL_MS) {
      const missing = hold.seatNumbers.filter((seatNumber) => holderOf(hold, seatNumber) === undefined);
      for (const seatNumber of missing) set(hold, seatNumber, Math.min(ACQUIRED_TTL_MS, milliseconds));
      return missing.length > 0;
    },

    async keep(hold, milliseconds) {
      for (const seatNumber of hold.seatNumbers) set(hold, seatNumber, milliseconds);
    },

    async remember(_hold, request) {
      answered.add(idempotencyKey(request));
    },

    async release(hold) {
      for (const seatNumber of hold.seatNumbers) {
        const key = seatKey(hold, seatNumber);
        if (keys.get(key)?.reservationId === hold.reservationId) keys.delete(key);
      }
    },

    lose() {
      keys.clear();
      answered.clear();
    },
  };
}

const seatKey = ({ concertId, date }: SeatSet, seatNumber: number) => `${concertId} ${date} ${seatNumber}`;
const idempotencyKey = ({ userId, key }: IdempotencyKey) => `${userId} ${key}`;
