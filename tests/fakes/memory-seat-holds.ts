import { type Hold, MARK_MARGIN_MS, type OnDate, type SeatSet } from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import type { RequestKey } from '#domain/idempotency.ts';
import type { SeatHolds, Turn, TurnState } from '#ports/booking/hold-keys.ts';
import type { MemoryClock } from './memory-clock.ts';

const CLAIM_MS = 10_000;
const TURN_MS = 10_000;
const KNOWN_MS = 60_000;

type Mark = Pick<Hold, 'userId' | 'reservationId'> & { readonly until: number };

export type MemorySeatHolds = SeatHolds & {
  /** Every mark is lost, and whatever else was known. */
  lose(): void;
};

export function memorySeatHolds(clock: MemoryClock): MemorySeatHolds {
  const marks = new Map<string, Mark>();
  const answered = new Set<string>();
  const turns = new Map<string, { readonly turnId: string; until: number }>();
  let turnsTaken = 0;

  /** The turn, if it is on. */
  function turnOf(turn: Turn) {
    const current = turns.get(dateKey(turn));
    return current?.turnId === turn.turnId && current.until > clock.now() ? current : undefined;
  }

  function prolongTurn(turn: Turn, milliseconds: number): TurnState {
    const current = turnOf(turn);
    if (current === undefined) return 'over';
    current.until = clock.now() + milliseconds;
    return 'on';
  }

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

    async prolong(hold, milliseconds) {
      for (const seatNumber of hold.seatNumbers) {
        const current = markOf(hold, seatNumber);
        if (current?.reservationId !== hold.reservationId) continue;
        mark(hold, seatNumber, Math.max(current.until - clock.now(), milliseconds));
      }
    },

    async note(hold, milliseconds = CLAIM_MS) {
      const unmarked = hold.seatNumbers.filter((seatNumber) => markOf(hold, seatNumber) === undefined);
      for (const seatNumber of unmarked) mark(hold, seatNumber, Math.min(CLAIM_MS, milliseconds));
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

    async takeTurn(on) {
      if ((turns.get(dateKey(on))?.until ?? 0) > clock.now()) return undefined;
      turnsTaken += 1;
      const turnId = String(turnsTaken);
      turns.set(dateKey(on), { turnId, until: clock.now() + TURN_MS });
      return { ...on, turnId };
    },

    async putBack(turn, seats) {
      if (prolongTurn(turn, TURN_MS) === 'over') return 'over';
      for (const { seatNumber, remainingMs, ...by } of seats) {
        const hold = { ...turn, ...by, seatNumbers: [seatNumber] };
        if (markOf(hold, seatNumber) === undefined)
          mark(hold, seatNumber, Math.min(CLAIM_MS, remainingMs + MARK_MARGIN_MS));
      }
      return 'on';
    },

    async confirm(turn, seats) {
      if (turnOf(turn) === undefined) return 'over';
      for (const { seatNumber, remainingMs, ...by } of seats) {
        const hold = { ...turn, ...by, seatNumbers: [seatNumber] };
        const current = markOf(hold, seatNumber);
        if (current?.reservationId !== by.reservationId) continue;
        const longer = Math.max(current.until - clock.now(), remainingMs + MARK_MARGIN_MS);
        mark(hold, seatNumber, longer);
      }
      return 'on';
    },

    async endTurn(turn) {
      prolongTurn(turn, KNOWN_MS);
    },

    lose() {
      marks.clear();
      answered.clear();
      turns.clear();
    },
  };
}

const dateKey = ({ concertId, date }: OnDate) => `${concertId} ${date}`;
const seatKey = ({ concertId, date }: SeatSet, seatNumber: number) => `${concertId} ${date} ${seatNumber}`;
const requestKey = ({ userId, key }: RequestKey) => `${userId} ${key}`;
