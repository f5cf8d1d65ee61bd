import type { Asked, Call, Ending, Known, Said } from '#tests/history/calls.ts';
import { contradictionsIn } from '#tests/history/contradictions-in.ts';

export const HOLD_MS = 1_000;
export const PRICE = 100;
const MARGIN_MS = 0.2;

export type Told = ReturnType<typeof tell>;

/** What cannot be explained in a story. */
export function contradictions(story: (told: Told) => void): string[] {
  const told = tell();
  story(told);
  return contradictionsIn(told.calls, { holdMs: HOLD_MS });
}

/** A history being told: one call after the other, a millisecond each, unless it is told otherwise. */
function tell() {
  const calls: Call[] = [];
  let nowMs = 0;
  let keys = 0;

  function call(userId: string, asked: Asked, ending: Ending, more: Partial<Call> = {}): Call {
    nowMs++;
    const made = { userId, asked, ending, startMs: nowMs - MARGIN_MS, endMs: nowMs + MARGIN_MS, ...more };
    calls.push(made);
    return made;
  }
  const done = (said: Said = {}): Ending => ({ kind: 'done', said });
  const keyed = () => ({ key: `key-${++keys}` });

  return {
    calls,
    call,
    wait: (ms: number) => {
      nowMs += ms;
    },
    reserve: (userId: string, reservationId: string, ...seatNumbers: number[]): Known => {
      const createdAt = new Date(nowMs + 1).toISOString();
      const heldUntil = new Date(nowMs + 1 + HOLD_MS).toISOString();
      const ending = done({ reservationId, seatNumbers, createdAt, heldUntil });
      call(userId, { what: 'reserve', seatNumbers }, ending, keyed());
      return { reservationId, seatNumbers, amount: seatNumbers.length * PRICE };
    },
    extend: (userId: string, reservation: Known, lastsMs: number) => {
      const [createdAt, heldUntil] = [new Date(0).toISOString(), new Date(lastsMs).toISOString()];
      return call(userId, { what: 'extend', reservation }, done({ createdAt, heldUntil }), keyed());
    },
    pay: (userId: string, reservation: Known, balance: number) =>
      call(userId, { what: 'pay', reservation }, done({ balance }), keyed()),
    refund: (userId: string, reservation: Known, balance: number) =>
      call(userId, { what: 'cancel', reservation }, done({ refund: { balance } }), keyed()),
    release: (userId: string, reservation: Known) => call(userId, { what: 'release', reservation }, done()),
    charge: (userId: string, amount: number, balance: number) =>
      call(userId, { what: 'charge', amount }, done({ balance }), keyed()),
    balance: (userId: string, balance: number) => call(userId, { what: 'balance' }, done({ balance })),
    seat: (userId: string, seatNumber: number, status: string) =>
      call(userId, { what: 'seats' }, done({ items: [{ seatNumber, status }] })),
    reservations: (userId: string, ...items: Said[]) => call(userId, { what: 'reservations' }, done({ items })),
    payments: (userId: string, ...items: Said[]) => call(userId, { what: 'payments' }, done({ items })),
    unclear: (userId: string, asked: Asked, more: Partial<Call> = keyed()) =>
      call(userId, asked, { kind: 'unclear' }, more),
    refused: (userId: string, asked: Asked, code: string, said: Said = {}) =>
      call(userId, asked, { kind: 'refused', code, said }, keyed()),
  };
}
