import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  admissible,
  admissionPolicy,
  requireLimit,
  requireSameOpening,
  slowestTurnover,
} from '#domain/catalog/policy.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';

const count = fc.nat(1_000_000);
const some = fc.integer({ min: 1, max: 1_000_000 });
const limits = fc.record({ activeMax: count, admitPerWindow: count, paused: fc.constant(false) });
const now = fc.record({ active: count, admittedInWindow: count });

describe('the room for admissions', () => {
  it('never goes beyond a limit that is on, nor beyond a batch', () => {
    fc.assert(
      fc.property(limits, now, count, (policy, { active, admittedInWindow }, batchMax) => {
        const admitted = admissible(policy, { active, admittedInWindow }, batchMax);
        expect(admitted).toBeGreaterThanOrEqual(0);
        expect(admitted).toBeLessThanOrEqual(batchMax);
        if (admitted === 0) return;
        if (policy.activeMax > 0) expect(active + admitted).toBeLessThanOrEqual(policy.activeMax);
        if (policy.admitPerWindow > 0) expect(admittedInWindow + admitted).toBeLessThanOrEqual(policy.admitPerWindow);
      }),
    );
  });

  it('is a few per seat once a concert was sold out, and not before', () => {
    const policy = { activeMax: 100, admitPerWindow: 0, paused: false, seatsLeft: { available: 2, held: 5 } };
    expect(admissible(policy, { active: 1, admittedInWindow: 0 }, 1_000)).toBe(99);
    expect(admissible(policy, { active: 1, admittedInWindow: 0, wasSoldOut: true }, 1_000)).toBe(3 * 2 + 5 - 1);
    expect(admissible({ ...policy, activeMax: 4 }, { active: 1, admittedInWindow: 0, wasSoldOut: true }, 1_000)).toBe(
      3,
    );
  });

  it('is all that the limits leave: one more would exceed one of them', () => {
    fc.assert(
      fc.property(limits, now, count, (policy, { active, admittedInWindow }, batchMax) => {
        const more = admissible(policy, { active, admittedInWindow }, batchMax) + 1;
        const beyondActive = policy.activeMax > 0 && active + more > policy.activeMax;
        const beyondWindow = policy.admitPerWindow > 0 && admittedInWindow + more > policy.admitPerWindow;
        expect(beyondActive || beyondWindow || more > batchMax).toBe(true);
      }),
    );
  });

  it('is what the tighter of both limits leaves', () => {
    fc.assert(
      fc.property(limits, now, count, (policy, state, batchMax) => {
        const byActive = admissible({ ...policy, admitPerWindow: 0 }, state, batchMax);
        const byWindow = admissible({ ...policy, activeMax: 0 }, state, batchMax);
        expect(admissible(policy, state, batchMax)).toBe(Math.min(byActive, byWindow));
      }),
    );
  });

  it('is no less with a higher limit, and no more with more active entries', () => {
    fc.assert(
      fc.property(some, some, now, count, count, (activeMax, admitPerWindow, state, more, batchMax) => {
        const policy = { activeMax, admitPerWindow, paused: false };
        const room = admissible(policy, state, batchMax);
        const raised = { ...policy, activeMax: activeMax + more, admitPerWindow: admitPerWindow + more };
        expect(admissible(raised, state, batchMax)).toBeGreaterThanOrEqual(room);
        expect(admissible(policy, { ...state, active: state.active + more }, batchMax)).toBeLessThanOrEqual(room);
      }),
    );
  });

  it('is none while the queue is paused', () => {
    fc.assert(
      fc.property(limits, now, count, (policy, state, batchMax) => {
        expect(admissible({ ...policy, paused: true }, state, batchMax)).toBe(0);
      }),
    );
  });
});

describe('the limits of admission', () => {
  it('may be off one at a time', () => {
    fc.assert(
      fc.property(count, count, (activeMax, admitPerWindow) => {
        fc.pre(activeMax + admitPerWindow > 0);
        expect(() => requireLimit({ activeMax, admitPerWindow })).not.toThrow();
      }),
    );
    expect(() => requireLimit({ activeMax: 0, admitPerWindow: 0 })).toThrow(
      expect.objectContaining({ code: 'validation-failed' }),
    );
  });
});

describe('the slowest turnover', () => {
  it('is what the tighter of both limits admits when every session lasts its full time', () => {
    fc.assert(
      fc.property(some, some, some, some, (activeMax, sessionSeconds, admitPerWindow, windowSeconds) => {
        const policy = { ...POLICY, activeMax, sessionSeconds, admitPerWindow, windowSeconds };
        expect(slowestTurnover(policy)).toBe(Math.min(activeMax / sessionSeconds, admitPerWindow / windowSeconds));
        expect(slowestTurnover({ ...policy, activeMax: 0 })).toBe(admitPerWindow / windowSeconds);
        expect(slowestTurnover({ ...policy, admitPerWindow: 0 })).toBe(activeMax / sessionSeconds);
      }),
    );
  });
});

describe('the rules of admission', () => {
  const all = fc.record({ paused: fc.boolean(), opened: fc.boolean(), available: fc.nat(3) });

  it('admit only if the queue has opened, is not paused, and a seat is available', () => {
    fc.assert(
      fc.property(all, ({ paused, opened, available }) => {
        const rules = admissionPolicy({ policy: { ...POLICY, paused }, opened }, { available, held: 0 });
        expect(admissible(rules, { active: 0, admittedInWindow: 0 }, 1) > 0).toBe(opened && !paused && available > 0);
      }),
    );
  });

  it('are those of the policy otherwise', () => {
    const [plenty, none] = [
      { available: 1, held: 0 },
      { available: 0, held: 1 },
    ];
    expect(admissionPolicy({ policy: POLICY, opened: true }, plenty)).toEqual({ ...POLICY, seatsLeft: plenty });
    expect(admissionPolicy({ policy: POLICY, opened: false }, none)).toEqual({
      ...POLICY,
      paused: true,
      seatsLeft: none,
    });
  });
});

describe('the opening of a queue', () => {
  it('may change until sales open, and then stays', () => {
    expect(() => requireSameOpening({ policy: { opening: 'fifo' }, sales: 'UPCOMING' }, 'lottery')).not.toThrow();
    for (const sales of ['OPEN', 'CLOSED'] as const) {
      expect(() => requireSameOpening({ policy: { opening: 'fifo' }, sales }, 'lottery')).toThrow(
        expect.objectContaining({ code: 'validation-failed' }),
      );
      expect(() => requireSameOpening({ policy: { opening: 'lottery' }, sales }, 'lottery')).not.toThrow();
    }
  });
});
