import { Refusal } from '#domain/errors.ts';
import type { RequestKey } from '#domain/request.ts';
import type { Hold, SeatSet } from '#domain/reservation.ts';
import type { SeatHolds } from '#ports/seat-holds.ts';
import type { MemoryClock } from './memory-clock.ts';

const CLAIM_MS = 10_000;

type Mark = Pick<Hold, 'userId' | 'reservationId'> & { readonly until: number };

export function memorySeatHolds(clock: MemoryClock): SeatHolds {
  const marks = new Map<string, Mark>();
  const answered = new Set<string>();

  function markOf(seats: SeatSet, seatNumber: number): Mark | undefined {
    const mark = marks.get(seatKey(seats, seatNumber));
    return mark !== undefined && mark.until > clock.now() ? mark : undefined;
  }

  function mark({ userId, reservationId, ...seats }: Hold, seatNumber: number, milliseconds: number): void {
    marks.set(seatKey(seats, seatNumber), { userId, reservationId, until: clock.now() + milliseconds });
  }

  return {
    async claim(hold, request) {
      if (answered.has(requestKey(request))) return 'repeated';
      const taken = hold.seatNumbers.filter((seatNumber) => {
        const holder = markOf(hold, seatNumber)?.userId;
        return holder !== undefined && holder !== hold.userId;
      });
      if (taken.length > 0) throw new Refusal('seat-taken', { seatNumbers: taken });
      const free = hold.seatNumbers.filter((seatNumber) => markOf(hold, seatNumber) === undefined);
      for (const seatNumber of free) mark(hold, seatNumber, CLAIM_MS);
      return free.length === hold.seatNumbers.length ? 'claimed' : 'repeated';
    },

    async keep(hold, milliseconds) {
      for (const seatNumber of hold.seatNumbers) mark(hold, seatNumber, milliseconds);
    },

    async remember(_hold, request) {
      answered.add(requestKey(request));
    },

    async release(hold) {
      for (const seatNumber of hold.seatNumbers) {
        const key = seatKey(hold, seatNumber);
        if (marks.get(key)?.reservationId === hold.reservationId) marks.delete(key);
      }
    },
  };
}

const seatKey = ({ concertId, date }: SeatSet, seatNumber: number) => `${concertId} ${date} ${seatNumber}`;
const requestKey = ({ userId, key }: RequestKey) => `${userId} ${key}`;
