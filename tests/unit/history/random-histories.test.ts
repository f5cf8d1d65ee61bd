import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Call } from '#tests/history/calls.ts';
import { contradictionsIn } from '#tests/history/contradictions-in.ts';
import { HOLD_MS, legalHistory } from './legal-history.ts';

const LENGTH = 60;
const rules = { holdMs: HOLD_MS };
const USER = 'ann';
const last = (calls: readonly Call[]) => Math.max(...calls.map(({ endMs }) => endMs));

/** Chance that fast-check can repeat and shrink. */
const chance = fc.infiniteStream(fc.nat(1_000_000)).map((numbers) => (n: number) => numbers.next().value % n);

/** Somebody who looks after everything was over, and is told this. */
function lookedAfterwards(calls: readonly Call[], asked: Call['asked'], said: object): Call[] {
  const startMs = last(calls) + 1;
  return [...calls, { userId: USER, asked, startMs, endMs: startMs + 1, ending: { kind: 'done', said } }];
}

describe('a history of a sequential box office', () => {
  it.each([
    ['however its calls overlap', 0],
    ['though nobody knows what became of one call in five', 5],
  ])('is explained, %s', (_, unclearOneIn) => {
    fc.assert(
      fc.property(chance, (next) => {
        expect(contradictionsIn(legalHistory(next, LENGTH, unclearOneIn).calls, rules)).toEqual([]);
      }),
    );
  });

  it('is explained with the final balance, and with no other', () => {
    fc.assert(
      fc.property(chance, fc.integer({ min: 1, max: 200 }), fc.boolean(), (next, off, isMore) => {
        const { calls, balances } = legalHistory(next, LENGTH, 0);
        const balance = balances.get(USER) ?? 0;
        const told = (amount: number) => lookedAfterwards(calls, { what: 'balance' }, { balance: amount });
        expect(contradictionsIn(told(balance), rules)).toEqual([]);
        expect(contradictionsIn(told(isMore ? balance + off : balance - off), rules)).toHaveLength(1);
      }),
    );
  });

  it('is explained with the final list of seats, and with no other', () => {
    fc.assert(
      fc.property(chance, fc.constantFrom(1, 2), (next, seatNumber) => {
        const { calls, statuses } = legalHistory(next, LENGTH, 0);
        const shown = (status = '') => lookedAfterwards(calls, { what: 'seats' }, { items: [{ seatNumber, status }] });
        const status = statuses.get(seatNumber);
        expect(contradictionsIn(shown(status), rules)).toEqual([]);
        expect(contradictionsIn(shown(status === 'SOLD' ? 'AVAILABLE' : 'SOLD'), rules)).toHaveLength(1);
      }),
    );
  });
});
