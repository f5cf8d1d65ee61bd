import type { Asked, Call, Ending, Known, Said } from '#tests/history/calls.ts';

/** What chance decides: `next(n)` is one of 0 to n - 1. */
export type Chance = (n: number) => number;

type Held = Known & {
  readonly userId: string;
  readonly createdMs: number;
  untilMs: number;
  status: 'HELD' | 'CONFIRMED' | 'EXPIRED' | 'CANCELLED';
};
type Wallet = { balance: number; readonly paid: Map<string, boolean> };
type Happened = { readonly asked: Asked; readonly ending: Ending };
type SeatStatus = 'AVAILABLE' | 'HELD' | 'SOLD';

const USERS = ['ann', 'bob', 'cat'];
const SEATS = [1, 2, 3];
const PRICE = 100;
export const HOLD_MS = 300;
const LATENCY_MS_MAX = 40;
/** So much after its client has given up something may yet happen. */
const LATE_MS_MAX = 120;

const READS = new Set<string>(['seats', 'balance', 'payments', 'reservations']);

export type LegalHistory = {
  readonly calls: readonly Call[];
  /** How things are in the end. */
  readonly statuses: ReadonlyMap<number, SeatStatus>;
  readonly balances: ReadonlyMap<string, number>;
};

/**
 * What clients would record of a box office that does one thing at a time, each at some moment between its call and its
 * answer, and of which some answers are lost. One call in `unclearOneIn` has no answer; 0: all have one. Of those, some were
 * never carried out and some only after nobody waited any more. Now and then a command is repeated under its key.
 */
export function legalHistory(next: Chance, length: number, unclearOneIn: number): LegalHistory {
  const seats = new Map<number, Held | undefined>(SEATS.map((seatNumber) => [seatNumber, undefined]));
  const wallets = new Map(USERS.map((userId): [string, Wallet] => [userId, { balance: 0, paid: new Map() }]));
  const known: Held[] = [];
  const calls: Call[] = [];
  const carriedOut: (Happened & { readonly userId: string; readonly key: string })[] = [];
  let nowMs = 1_000;

  for (let index = 0; index < length; index++) {
    // Most calls come together; after some, holds have run out.
    nowMs += next(12) === 0 ? HOLD_MS : 1 + next(20);
    for (const held of known) if (held.status === 'HELD' && held.untilMs <= nowMs) end(held, 'EXPIRED');
    const isLost = unclearOneIn > 0 && next(unclearOneIn) === 0;
    const repeated = next(10) === 0 ? carriedOut[next(carriedOut.length + 1)] : undefined;
    if (repeated !== undefined) {
      record(repeated.userId, repeated.key, repeated, isLost);
      continue;
    }
    const [userId, key] = [USERS[next(USERS.length)] ?? '', `${index}`];
    if (isLost && next(3) === 0) {
      record(userId, key, { asked: { what: 'reserve', seatNumbers: someSeats() }, ending: { kind: 'unclear' } }, true);
      continue;
    }
    const happened = happens(userId, index);
    if (happened.ending.kind === 'done' && !READS.has(happened.asked.what))
      carriedOut.push({ ...happened, userId, key });
    record(userId, key, happened, isLost);
  }
  return {
    calls,
    statuses: new Map(SEATS.map((seatNumber) => [seatNumber, statusOf(seatNumber)])),
    balances: new Map([...wallets].map(([userId, { balance }]) => [userId, balance])),
  };

  /** Now it happens. Who is told nothing may have given up before. */
  function record(userId: string, key: string, { asked, ending }: Happened, isLost: boolean): void {
    const startMs = nowMs - next(isLost ? LATE_MS_MAX : LATENCY_MS_MAX);
    const endMs = isLost ? startMs + next(LATENCY_MS_MAX) : nowMs + next(LATENCY_MS_MAX);
    calls.push({ userId, key, asked, startMs, endMs, ending: isLost ? { kind: 'unclear' } : ending });
  }

  function statusOf(seatNumber: number): SeatStatus {
    const held = seats.get(seatNumber);
    return held === undefined ? 'AVAILABLE' : held.status === 'HELD' ? 'HELD' : 'SOLD';
  }

  function end(held: Held, status: 'EXPIRED' | 'CANCELLED'): void {
    held.status = status;
    for (const seatNumber of held.seatNumbers) seats.set(seatNumber, undefined);
  }

  function someSeats(): number[] {
    const first = SEATS[next(SEATS.length)] ?? 1;
    return next(3) === 0 && SEATS.includes(first + 1) ? [first, first + 1] : [first];
  }

  function happens(userId: string, index: number): Happened {
    const wallet = wallets.get(userId) as Wallet;
    const done = (said: Said): Ending => ({ kind: 'done', said });
    const refused = (code: string, said: Said = {}): Ending => ({ kind: 'refused', code, said });
    const own = known.filter((held) => held.userId === userId);
    const held = own[next(own.length + 1)];

    switch (next(11)) {
      case 0:
      case 1: {
        const seatNumbers = someSeats();
        const asked: Asked = { what: 'reserve', seatNumbers };
        if (seatNumbers.some((seatNumber) => seats.get(seatNumber))) return { asked, ending: refused('seat-taken') };
        const mine: Held = {
          ...{ userId, reservationId: `r${index}`, seatNumbers, amount: PRICE * seatNumbers.length },
          ...{ createdMs: nowMs, untilMs: nowMs + HOLD_MS, status: 'HELD' },
        };
        known.push(mine);
        for (const seatNumber of seatNumbers) seats.set(seatNumber, mine);
        return { asked, ending: done(described(mine)) };
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
        if (held === undefined) break;
        const asked: Asked = { what: 'pay', reservation: held };
        if (held.status === 'CONFIRMED') return { asked, ending: refused('already-paid') };
        if (held.status !== 'HELD') return { asked, ending: refused('hold-expired') };
        const { balance } = wallet;
        const required = held.amount;
        if (balance < required) return { asked, ending: refused('insufficient-balance', { balance, required }) };
        wallet.balance -= required;
        wallet.paid.set(held.reservationId, false);
        held.status = 'CONFIRMED';
        return { asked, ending: done({ balance: wallet.balance }) };
      }
      case 6: {
        if (held === undefined) break;
        const asked: Asked = { what: 'cancel', reservation: held };
        const wasPaid = held.status === 'CONFIRMED';
        if (!wasPaid && held.status !== 'HELD') return { asked, ending: refused('already-cancelled') };
        end(held, 'CANCELLED');
        if (!wasPaid) return { asked, ending: done({}) };
        wallet.balance += held.amount;
        wallet.paid.set(held.reservationId, true);
        return { asked, ending: done({ refund: { balance: wallet.balance } }) };
      }
      case 7: {
        const items = own.map((mine) => ({ ...described(mine), status: mine.status }));
        return { asked: { what: 'reservations' }, ending: done({ items }) };
      }
      case 8: {
        if (held === undefined) break;
        const asked: Asked = { what: 'extend', reservation: held };
        if (held.status === 'CONFIRMED') return { asked, ending: refused('already-paid') };
        if (held.status !== 'HELD') return { asked, ending: refused('hold-expired') };
        held.untilMs = nowMs + HOLD_MS;
        return { asked, ending: done(described(held)) };
      }
      case 9: {
        if (held === undefined) break;
        const asked: Asked = { what: 'release', reservation: held };
        if (held.status === 'CONFIRMED') return { asked, ending: refused('already-paid') };
        if (held.status === 'EXPIRED') return { asked, ending: refused('hold-expired') };
        if (held.status === 'HELD') end(held, 'CANCELLED');
        return { asked, ending: done({}) };
      }
    }
    const items = SEATS.map((seatNumber) => ({ seatNumber, status: statusOf(seatNumber) }));
    return { asked: { what: 'seats' }, ending: done({ items }) };
  }
}

function described({ reservationId, seatNumbers, createdMs, untilMs }: Held): Said {
  const [createdAt, heldUntil] = [new Date(createdMs).toISOString(), new Date(untilMs).toISOString()];
  return { reservationId, seatNumbers, createdAt, heldUntil };
}
