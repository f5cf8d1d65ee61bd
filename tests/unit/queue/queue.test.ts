import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concertId, userId } from '#domain/ids.ts';
import { wordsFrom } from '#domain/queue/lottery.ts';
import {
  type EntryState,
  etaOf,
  pollAfterSeconds,
  pollSecondsMax,
  type QueueEntry,
  queueStatusOf,
  requireActive,
  type SaleState,
} from '#domain/queue/queue.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';

const policy = { ...POLICY, activeMax: 100, sessionSeconds: 600 };
const entry: QueueEntry = {
  userId: userId('01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f'),
  concertId: concertId('01939c5e-0000-7000-8000-000000000001'),
  sequence: 42,
  epoch: 'AAAAAAAA',
  joinedAt: new Date(0),
};

const position = fc.integer({ min: 1, max: 10_000_000 });
const measured = fc.double({ min: 0.001, max: 10_000, noNaN: true });

/** All waiting entries keep polling, by default. */
const pace = (turnover: number, presentShare = 1) => ({ turnover, presentShare });
/** The estimate where there is one. */
const median = (at: number, rate: number) => etaOf(at, pace(rate), policy)?.p50 ?? Number.NaN;

describe('the estimated wait', () => {
  it('has as its median the position divided by the measured turnover', () => {
    expect(median(6_000, 2)).toBeGreaterThan(2_950);
    expect(median(6_000, 2)).toBeLessThanOrEqual(3_000);
  });

  it('counts those ahead that keep polling, and not those that will be passed over', () => {
    expect(etaOf(1_001, pace(2, 0.1), policy)).toEqual(etaOf(101, pace(2), policy));
    expect(etaOf(1, pace(2, 0), policy)).toEqual(etaOf(1, pace(2), policy));
  });

  it('is unknown until a turnover was measured and while the queue is paused, and only then', () => {
    expect(etaOf(100, pace(0), policy)).toBeUndefined();
    expect(etaOf(60, pace(2), { ...policy, paused: true })).toBeUndefined();
    expect(etaOf(60, pace(0), { ...policy, activeMax: 0, admitPerWindow: 10 })).toBeDefined();
  });

  it('is zero for an empty queue', () => {
    expect(etaOf(0, pace(2), policy)).toEqual({ p50: 0, p90: 0 });
  });

  it('is a range of whole seconds, from one up', () => {
    fc.assert(
      fc.property(position, measured, (at, rate) => {
        const { p50, p90 } = etaOf(at, pace(rate), policy) ?? { p50: 0, p90: 0 };
        expect(Number.isInteger(p50) && Number.isInteger(p90)).toBe(true);
        expect(p50).toBeGreaterThanOrEqual(1);
        expect(p90).toBeGreaterThanOrEqual(p50);
      }),
    );
  });

  it('is no shorter further back, and never much more than if every session lasts its full time', () => {
    fc.assert(
      fc.property(position, position, measured, (a, b, rate) => {
        const [ahead, behind] = [Math.min(a, b), Math.max(a, b)];
        expect(median(ahead, rate)).toBeLessThanOrEqual(median(behind, rate));
        expect(median(behind, rate)).toBeLessThanOrEqual(
          Math.ceil((behind * policy.sessionSeconds) / policy.activeMax),
        );
      }),
    );
  });

  it('is narrower the more was measured', () => {
    const width = (rate: number) => {
      const { p50, p90 } = etaOf(100_000, pace(rate), policy) ?? { p50: 0, p90: 0 };
      return p90 / p50;
    };
    expect(width(10)).toBeLessThan(width(1));
    expect(width(100)).toBeLessThan(width(10));
    expect(width(100)).toBeGreaterThan(1);
  });

  it('holds for about half and nine tenths of the entries of random queues', () => {
    // Sessions end at random; the turnover is what was counted of them in two minutes before.
    const word = wordsFrom(new Uint8Array(32), (input) => hash('sha256', input, 'buffer'));
    const pause = (rate: number) => -Math.log((word() + 1) / 2 ** 32) / rate;
    const within = { p50: 0, p90: 0 };
    const lines = 600;
    for (let line = 0; line < lines; line++) {
      let counted = 0;
      for (let time = pause(3); time < 120; time += pause(3)) counted += 1;
      let waited = 0;
      for (let ahead = 0; ahead < 200; ahead++) waited += pause(3);
      const eta = etaOf(200, pace(counted / 120), policy) ?? { p50: 0, p90: 0 };
      if (waited <= eta.p50) within.p50 += 1;
      if (waited <= eta.p90) within.p90 += 1;
    }
    expect(within.p50 / lines).toBeGreaterThan(0.4);
    expect(within.p50 / lines).toBeLessThan(0.6);
    expect(within.p90 / lines).toBeGreaterThan(0.85);
    expect(within.p90 / lines).toBeLessThan(0.96);
  });

  it('is exactly the time that the window takes where it decides', () => {
    const windowed = { ...policy, admitPerWindow: 10, windowSeconds: 60 };
    expect(etaOf(60, pace(1_000), windowed)).toEqual({ p50: 360, p90: 360 });
    expect(etaOf(60, pace(0), { ...windowed, activeMax: 0 })).toEqual({ p50: 360, p90: 360 });
  });
});

describe('the poll interval', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const eta = fc.option(fc.nat(10_000_000), { nil: undefined });
  const pollAfter = (wait: number | undefined, at = 0.5) => pollAfterSeconds({ waitSeconds: wait }, policy, at);

  it('is a tenth of the wait, give or take a fifth', () => {
    expect([0, 0.5, 0.999].map((at) => pollAfter(300, at))).toEqual([24, 30, 36]);
  });

  it('is from 2 to 60 seconds, give or take a fifth, however long the wait', () => {
    fc.assert(
      fc.property(eta, random, (wait, at) => {
        const seconds = pollAfter(wait, at);
        expect(Number.isInteger(seconds)).toBe(true);
        expect(seconds).toBeGreaterThanOrEqual(2);
        expect(seconds).toBeLessThanOrEqual(72);
      }),
    );
    expect([pollAfter(0), pollAfter(1_000_000), pollAfter(undefined)]).toEqual([2, 60, 60]);
    expect([0, 0.999].map((at) => pollAfter(1_000_000, at))).toEqual([48, 72]);
  });

  it('never makes a client that follows it absent, or lose its session unclaimed', () => {
    const seconds = fc.integer({ min: 5, max: 86_400 });
    fc.assert(
      fc.property(
        eta,
        random,
        seconds,
        seconds,
        seconds,
        (waitSeconds, at, absentSeconds, claimSeconds, sessionSeconds) => {
          const timed = { absentSeconds, claimSeconds, sessionSeconds };
          const next = pollAfterSeconds({ waitSeconds }, timed, at);
          expect(next).toBeLessThan(Math.min(absentSeconds, claimSeconds, sessionSeconds));
          expect(next).toBeLessThanOrEqual(pollSecondsMax(timed));
        },
      ),
    );
  });

  it('ends before the queue opens, unless that is within the shortest one', () => {
    fc.assert(
      fc.property(
        eta,
        random,
        fc.double({ min: 0.001, max: 100_000, noNaN: true }),
        (waitSeconds, at, opensInSeconds) => {
          const next = pollAfterSeconds({ waitSeconds, opensInSeconds }, policy, at);
          expect(next).toBeLessThanOrEqual(Math.max(2, opensInSeconds - 1));
        },
      ),
    );
    const spread = [0, 0.5, 0.999].map((at) => pollAfterSeconds({ opensInSeconds: 30 }, policy, at));
    expect(spread).toEqual([29, 21, 14]);
  });
});

describe('a queue status', () => {
  const opensAt = new Date(3_600_000);
  const around: SaleState = {
    concert: { policy, sales: 'OPEN', opened: true, opensAt, opensInSeconds: 0 },
    seatsLeft: { available: 7, held: 3 },
  };
  const state: EntryState = { status: 'WAITING', position: 61, ...pace(2) };

  it('has for a waiting entry the entries ahead, the estimate and the next poll', () => {
    expect(queueStatusOf(entry, state, around, 0.5)).toEqual({
      entry,
      status: 'WAITING',
      position: 61,
      aheadCount: 60,
      etaSeconds: 31,
      etaP90Seconds: 37,
      pollAfterSeconds: 3,
    });
  });

  it('has the opening time until then, and no estimate', () => {
    const closed = { ...around, concert: { ...around.concert, opened: false, opensInSeconds: 3_600 } };
    const queueStatus = queueStatusOf(entry, state, closed, 0.5);
    expect(queueStatus).toEqual({
      entry,
      status: 'WAITING',
      position: 61,
      aheadCount: 60,
      opensAt,
      pollAfterSeconds: 60,
    });
  });

  it('has no position before lots are drawn', () => {
    const queueStatus = queueStatusOf(entry, { ...state, position: undefined }, around, 0.5);
    expect(queueStatus).toEqual({ entry, status: 'WAITING', pollAfterSeconds: 60 });
  });

  it('says that no seat is available, and how many may become free', () => {
    const queueStatus = queueStatusOf(entry, state, { ...around, seatsLeft: { available: 0, held: 3 } }, 0.5);
    expect(queueStatus).toMatchObject({ position: 61, soldOut: true, seatsHeld: 3 });
    expect(queueStatus.etaSeconds).toBeUndefined();
  });

  it('has a poll interval by the distance to the head, though nothing was measured yet', () => {
    const pollAfter = (at: number) =>
      queueStatusOf(entry, { ...state, position: at, turnover: 0 }, around, 0.5).pollAfterSeconds;
    expect([1, 50, 10_000].map(pollAfter)).toEqual([2, 30, 60]);
  });

  it('has for an active entry the end of its session', () => {
    const expiresAt = new Date(600_000);
    const queueStatus = queueStatusOf(entry, { status: 'ACTIVE', expiresAt }, around, 0.5);
    expect(queueStatus).toEqual({ entry, status: 'ACTIVE', expiresAt, pollAfterSeconds: 30 });
  });

  it('is EXPIRED for a waiting entry once sales have closed, and stays ACTIVE for an active one', () => {
    const closed: SaleState = { ...around, concert: { ...around.concert, sales: 'CLOSED' } };
    expect(queueStatusOf(entry, state, closed, 0.5)).toEqual({ entry, status: 'EXPIRED', pollAfterSeconds: 30 });
    const active: EntryState = { status: 'ACTIVE', expiresAt: new Date(600_000) };
    expect(queueStatusOf(entry, active, closed, 0.5).status).toBe('ACTIVE');
  });

  it('has nothing more for an ended entry', () => {
    const queueStatus = queueStatusOf(entry, { status: 'EXPIRED' }, around, 0.5);
    expect(queueStatus).toEqual({ entry, status: 'EXPIRED', pollAfterSeconds: 30 });
  });
});

describe('the session check', () => {
  it('passes an active entry', () => {
    expect(() => requireActive({ status: 'ACTIVE', expiresAt: new Date() })).not.toThrow();
  });

  it('never passes a waiting entry, the next one included, and returns its position', () => {
    expect(() => requireActive({ status: 'WAITING', position: 1, ...pace(0) })).toThrow(
      expect.objectContaining({ code: 'not-admitted', facts: { position: 1 } }),
    );
    expect(() => requireActive({ status: 'WAITING', position: undefined, ...pace(0) })).toThrow(
      expect.objectContaining({ code: 'not-admitted', facts: {} }),
    );
  });

  it('does not pass an ended entry', () => {
    expect(() => requireActive({ status: 'EXPIRED' })).toThrow(expect.objectContaining({ code: 'session-expired' }));
  });
});
