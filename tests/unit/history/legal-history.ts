import type { Asked, Call, Ending, Known, Said } from '#tests/history/calls.ts';

/** What chance decides: `next(n)` is one of 0 to n - 1. */
export type Chance = (n: number) => number;

type Seat = { status: 'AVAILABLE' | 'HELD' | 'SOLD'; by?: Held };
type Held = Known & { readonly userId: string; readonly createdMs: number; untilMs: number };
type Wallet = { balance: number; readonly paid: Map<string, boolean> };

const USERS = ['ann', 'bob', 'cat'];
const SEATS = [1, 2];
const PRICE = 100;
export const HOLD_MS = 300;
const LATENCY_MS_MAX = 40;

export type LegalHistory = {
  readonly calls: readonly Call[];
  /** How things are in the end. */
  readonly statuses: ReadonlyMap<number, Seat['status']>;
  readonly balances: ReadonlyMap<string, number>;
};

/**
 * What clients would record of a box office that does one thing at a time, each at some moment between its call and its
 * answer, and of which some answers are lost. One call in `unclearOneIn` has no answer; 0: all have one.
 */
export function legalHistory(next: Chance, length: number, unclearOneIn: number): LegalHistory {
  const seats = new Map(SEATS.map((number): [number, Seat] => [number, { status: 'AVAILABLE' }]));
  const wallets = new Map(USERS.map((userId): [string, Wallet] => [userId, { balance: 0, paid: new Map() }]));
  const known: Held[] = [];
  const calls: Call[] = [];
  let nowMs = 1_000;

  for (let index = 0; index < length; index++) {
    // Most calls come together; after some, holds have run out.
    nowMs += next(12) === 0 ? HOLD_MS : 1 + next(20);
    for (const seat of seats.values()) {
      if (seat.status === 'HELD' && (seat.by?.untilMs ?? 0) <= nowMs) seat.status = 'AVAILABLE';
    }
    const userId = USERS[next(USERS.length)] ?? '';
    const { asked, ending } = happens(userId, index);
    const isLost = unclearOneIn > 0 && next(unclearOneIn) === 0;
    const [startMs, endMs] = [nowMs - next(LATENCY_MS_MAX), nowMs + next(LATENCY_MS_MAX)];
    calls.push({ userId, key: `${index}`, asked, startMs, endMs, ending: isLost ? { kind: 'unclear' } : ending });
  }
  return {
    calls,
    statuses: new Map([...seats].map(([seatNumber, { status }]) => [seatNumber, status])),
    balances: new Map([...wallets].map(([userId, { balance }]) => [userId, balance])),
  };

  function statusOf(held: Held): string {
    const seat = seats.get(held.seatNumbers[0] ?? 0);
    if (seat === undefined || seat.by !== held || seat.status === 'AVAILABLE') return 'EXPIRED';
    return seat.status === 'SOLD' ? 'CONFIRMED' : 'HELD';
  }

  function happens(userId: string, index: number): { asked: Asked; ending: Ending } {
    const wallet = wallets.get(userId) as Wallet;
    const done = (said: Said): Ending => ({ kind: 'done', said });
    const refused = (code: string, said: Said = {}): Ending => ({ kind: 'refused', code, said });
    const own = known.filter((held) => held.userId === userId);
    const held = own[next(own.length + 1)];
    const seat = seats.get(held?.seatNumbers[0] ?? 0);
    const isLive = seat !== undefined && seat.by === held && seat.status !== 'AVAILABLE';

    switch (next(9)) {
      case 0:
      case 1: {
        const seatNumber = SEATS[next(SEATS.length)] ?? 1;
        const wanted = seats.get(seatNumber) as Seat;
        const asked: Asked = { what: 'reserve', seatNumbers: [seatNumber] };
        if (wanted.status !== 'AVAILABLE') return { asked, ending: refused('seat-taken') };
        const times = { createdMs: nowMs, untilMs: nowMs + HOLD_MS };
        const by: Held = { userId, reservationId: `r${index}`, seatNumbers: [seatNumber], amount: PRICE, ...times };
        known.push(by);
        seats.set(seatNumber, { status: 'HELD', by });
        return { asked, ending: done(described(by)) };
      }
      case 2:
        wallet.balance += 10 * index;
        return { asked: { what: 'charge', amount: 10 * index }, ending: done({ balance: wallet.balance }) };
      case 3:
        return { asked: { what: 'balance' }, ending: done({ balance: wallet.balance }) };
      case 4: {
        const items = [...wallet.paid].map(([reservationId, isRefunded]) => ({
          reservationId,
          ...(isRefunded ? { refundedAt: 'since' } : {}),
        }));
        return { asked: { what: 'payments' }, ending: done({ items }) };
      }
      case 5: {
        if (held === undefined || seat === undefined) break;
        const asked: Asked = { what: 'pay', reservation: held };
        if (wallet.paid.get(held.reservationId) === false) return { asked, ending: refused('already-paid') };
        if (!isLive) return { asked, ending: refused('hold-expired') };
        const { balance } = wallet;
        if (balance < PRICE) return { asked, ending: refused('insufficient-balance', { balance, required: PRICE }) };
        wallet.balance -= PRICE;
        wallet.paid.set(held.reservationId, false);
        seat.status = 'SOLD';
        return { asked, ending: done({ balance: wallet.balance }) };
      }
      case 6: {
        if (held === undefined || seat === undefined || !isLive) break;
        const asked: Asked = { what: 'cancel', reservation: held };
        const wasSold = seat.status === 'SOLD';
        seat.status = 'AVAILABLE';
        if (!wasSold) return { asked, ending: done({}) };
        wallet.balance += PRICE;
        wallet.paid.set(held.reservationId, true);
        return { asked, ending: done({ refund: { balance: wallet.balance } }) };
      }
      case 7: {
        const items = own.map((mine) => ({ ...described(mine), status: statusOf(mine) }));
        return { asked: { what: 'reservations' }, ending: done({ items }) };
      }
    }
    const items = [...seats].map(([seatNumber, { status }]) => ({ seatNumber, status }));
    return { asked: { what: 'seats' }, ending: done({ items }) };
  }
}

function described({ reservationId, seatNumbers, createdMs, untilMs }: Held): Said {
  const [createdAt, heldUntil] = [new Date(createdMs).toISOString(), new Date(untilMs).toISOString()];
  return { reservationId, seatNumbers, createdAt, heldUntil };
}
