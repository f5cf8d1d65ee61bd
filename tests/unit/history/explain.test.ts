import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explain, type Model, type Timed } from '#tests/history/explain.ts';
import { type SeatOp, seatModel } from '#tests/history/seat.ts';
import { type WalletOp, walletModel } from '#tests/history/wallet.ts';

const NEVER_MS = Number.POSITIVE_INFINITY;

/** Tries every order of everything, and every choice among what is uncertain. */
function isExplained<State, Op>(model: Model<State, Op>, operations: readonly Timed<Op>[]): boolean {
  function goesOn(state: State, atMs: number, left: readonly Timed<Op>[]): boolean {
    if (left.every(({ endMs }) => endMs === NEVER_MS)) return true;
    return left.some((operation) => {
      const { op, startMs, endMs } = operation;
      const rest = left.filter((other) => other !== operation);
      return model
        .steps(state, op, Math.max(atMs, startMs))
        .some((step) => step.atMs <= endMs && goesOn(step.state, step.atMs, rest));
    });
  }
  return goesOn(model.initial, Number.NEGATIVE_INFINITY, operations);
}

/** Some operations at random times, many of them at once. About one in six is uncertain. */
function historiesOf<Op>(op: (startMs: number, endMs: number) => fc.Arbitrary<Op>): fc.Arbitrary<Timed<Op>[]> {
  const operation = fc
    .record({ startMs: fc.nat(20), lasts: fc.nat(8), isCertain: fc.nat(5).map((n) => n > 0) })
    .chain(({ startMs, lasts, isCertain }) => {
      const endMs = isCertain ? startMs + lasts : NEVER_MS;
      return op(startMs, endMs).map((made): Timed<Op> => ({ op: made, startMs, endMs }));
    });
  return fc.array(operation, { maxLength: 5 });
}

const owners = fc.constantFrom(
  { userId: 'ann', reservationId: 'a1' },
  { userId: 'ann', reservationId: 'a2' },
  { userId: 'bob', reservationId: 'b1' },
);
function holdOf(
  owner: { userId: string; reservationId: string },
  startMs: number,
  endMs: number,
  lastsMs: number,
): SeatOp {
  // Nobody was told the reservation of what is uncertain.
  const own = endMs === NEVER_MS ? { userId: owner.userId } : owner;
  return { what: 'hold', ...own, lapsesFromMs: startMs + lastsMs, lapsesByMs: endMs + lastsMs };
}

const seatOps = (startMs: number, endMs: number): fc.Arbitrary<SeatOp> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(owners, fc.constantFrom(4, 30)).map(([owner, lasts]) => holdOf(owner, startMs, endMs, lasts)),
    },
    owners.map((owner) => ({ what: 'pay', ...owner }) as const),
    owners.map((owner) => ({ what: 'release', ...owner }) as const),
    owners.map((owner) => ({ what: 'extend', ...owner }) as const),
    owners.map((owner) => ({ what: 'cancel', of: 'either', ...owner }) as const),
    fc.constantFrom('AVAILABLE', 'HELD', 'SOLD').map((status) => ({ what: 'seen', status }) as const),
    fc
      .tuple(owners, fc.constantFrom('held', 'sold', 'ended'))
      .map(([owner, as]) => ({ what: 'found', as, ...owner }) as const),
  );
const seats = seatModel(new Set(['a1', 'b1']));

const payments = fc.constantFrom('r1', 'r2');
const walletOps = (): fc.Arbitrary<WalletOp> => {
  const balance = fc.nat(4);
  return fc.oneof(
    fc.record({ what: fc.constant('charge' as const), amount: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ what: fc.constant('charge' as const), amount: fc.integer({ min: 1, max: 3 }), balance }),
    fc.record({ what: fc.constantFrom('pay', 'refund'), reservationId: payments, amount: fc.constant(2) }),
    fc.record({ what: fc.constant('balance' as const), balance }),
    fc.record({ what: fc.constant('short' as const), balance, required: fc.constant(2) }),
    fc.record({ what: fc.constant('payments' as const), reservationIds: fc.uniqueArray(payments) }),
    fc.record({ what: fc.constant('refunded' as const), reservationId: payments, isSo: fc.boolean() }),
  );
};

describe('explaining a history', () => {
  it.each([
    ['a seat', seats as Model<unknown, unknown>, historiesOf(seatOps)],
    ['a wallet', walletModel as Model<unknown, unknown>, historiesOf(walletOps)],
  ])('of %s finds an order exactly if trying all orders does', (_, model, histories) => {
    const verdicts = { true: 0, false: 0 };
    fc.assert(
      fc.property(histories, (operations) => {
        const expected = isExplained(model, operations);
        verdicts[`${expected}`]++;
        expect(explain(model, operations).found).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
    // Neither is rare, or nothing would be shown.
    expect(Math.min(verdicts.true, verdicts.false)).toBeGreaterThan(100);
  });

  it('gives up at its limit of states, which is no explanation', () => {
    const read: Timed<WalletOp> = { op: { what: 'balance', balance: 1 }, startMs: 0, endMs: 100 };
    const charges = Array.from({ length: 20 }, (_, index): Timed<WalletOp> => {
      return { op: { what: 'charge', amount: 2 ** (index + 1) }, startMs: 0, endMs: 100 };
    });
    const explained = explain(walletModel, [...charges, read], 1_000);
    expect(explained).toEqual({ found: false, decided: false, why: 'not decided after 1000 states' });
  });

  it('reports the longest explained prefix, and what could not be next', () => {
    const sold: Timed<SeatOp>[] = [
      { op: holdOf({ userId: 'ann', reservationId: 'a1' }, 0, 1, 100), startMs: 0, endMs: 1 },
      { op: { what: 'pay', userId: 'ann', reservationId: 'a1' }, startMs: 2, endMs: 3 },
      { op: { what: 'seen', status: 'AVAILABLE' }, startMs: 4, endMs: 5 },
    ];
    expect(explain(seats, sold)).toMatchObject({
      found: false,
      decided: true,
      why: expect.stringMatching(/^after 2 of 3 it is .*sold.*: seen AVAILABLE \(4–5 ms\)$/),
    });
  });
});
