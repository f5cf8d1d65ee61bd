import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concertId, userId } from '#domain/ids.ts';
import { etaSeconds, type Place, pollAfterSeconds, type QueueClaim, requireActive, standingOf } from '#domain/queue.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';

const policy = { ...POLICY, activeMax: 100, sessionSeconds: 600 };
const claim: QueueClaim = {
  userId: userId('01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f'),
  concertId: concertId('01939c5e-0000-7000-8000-000000000001'),
  sequence: 42,
  epoch: 'AAAAAAAA',
  joinedAt: new Date(0),
};

const position = fc.integer({ min: 1, max: 10_000_000 });
const turnover = fc.double({ min: 0, max: 10_000, noNaN: true });

/** The estimate where there is one. */
const wait = (at: number, rate: number) => etaSeconds(at, rate, policy) ?? Number.NaN;

describe('the estimated wait', () => {
  it('is the position by the measured turnover', () => {
    expect(etaSeconds(60, 2, policy)).toBe(30);
    expect(etaSeconds(61, 2, policy)).toBe(31);
  });

  it('assumes, before anything was measured, that everybody stays as long as they may', () => {
    expect(etaSeconds(100, 0, policy)).toBe(600);
  });

  it('is a whole number of seconds, at least one, and never more than if everybody stays as long as they may', () => {
    fc.assert(
      fc.property(position, turnover, (at, rate) => {
        const eta = wait(at, rate);
        expect(Number.isInteger(eta)).toBe(true);
        expect(eta).toBeGreaterThanOrEqual(1);
        expect(eta).toBeLessThanOrEqual(wait(at, 0));
      }),
    );
  });

  it('is no shorter further back, and no longer at a higher turnover', () => {
    fc.assert(
      fc.property(position, position, turnover, turnover, (a, b, slow, fast) => {
        const [ahead, behind] = [Math.min(a, b), Math.max(a, b)];
        const [low, high] = [Math.min(slow, fast), Math.max(slow, fast)];
        expect(wait(ahead, low)).toBeLessThanOrEqual(wait(behind, low));
        expect(wait(ahead, high)).toBeLessThanOrEqual(wait(ahead, low));
      }),
    );
  });

  it('is no shorter than the window allows, however quickly sessions end', () => {
    const windowed = { ...policy, admitPerWindow: 10, windowSeconds: 60 };
    expect(etaSeconds(60, 1_000, windowed)).toBe(360);
    expect(etaSeconds(60, 0, { ...windowed, activeMax: 0 })).toBe(360);
    expect(etaSeconds(60, 0, { ...windowed, activeMax: 1 })).toBe(36_000);
  });

  it('is unknown while the line is paused', () => {
    expect(etaSeconds(60, 2, { ...policy, paused: true })).toBeUndefined();
  });
});

describe('the poll interval', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const eta = fc.option(fc.nat(10_000_000), { nil: undefined });
  const pollAfter = (wait: number | undefined, at = 0.5) => pollAfterSeconds(wait, policy, at);

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

  it('never leads anybody who keeps to it into absence, or to a session that is gone', () => {
    const seconds = fc.integer({ min: 5, max: 86_400 });
    fc.assert(
      fc.property(eta, random, seconds, seconds, (wait, at, absentSeconds, claimSeconds) => {
        const next = pollAfterSeconds(wait, { absentSeconds, claimSeconds }, at);
        expect(next).toBeLessThan(Math.min(absentSeconds, claimSeconds));
      }),
    );
  });
});

describe('a standing', () => {
  it('tells who waits how many are ahead, how long it may take and when to ask again', () => {
    const place: Place = { status: 'WAITING', position: 61, turnover: 2 };
    expect(standingOf(claim, place, policy, 0.5)).toEqual({
      claim,
      status: 'WAITING',
      position: 61,
      aheadCount: 60,
      etaSeconds: 31,
      pollAfterSeconds: 3,
    });
  });

  it('tells who is in until when', () => {
    const expiresAt = new Date(600_000);
    const standing = standingOf(claim, { status: 'ACTIVE', expiresAt }, policy, 0.5);
    expect(standing).toEqual({ claim, status: 'ACTIVE', expiresAt, pollAfterSeconds: 30 });
  });

  it('tells who is out nothing more', () => {
    const standing = standingOf(claim, { status: 'EXPIRED' }, policy, 0.5);
    expect(standing).toEqual({ claim, status: 'EXPIRED', pollAfterSeconds: 30 });
  });
});

describe('the queue check', () => {
  it('lets those pass who are in', () => {
    expect(() => requireActive({ status: 'ACTIVE', expiresAt: new Date() })).not.toThrow();
  });

  it('never lets those pass who wait, the next one included, and tells them their position', () => {
    expect(() => requireActive({ status: 'WAITING', position: 1, turnover: 0 })).toThrow(
      expect.objectContaining({ code: 'not-admitted', facts: { position: 1 } }),
    );
  });

  it('does not let those pass whose session has ended', () => {
    expect(() => requireActive({ status: 'EXPIRED' })).toThrow(expect.objectContaining({ code: 'session-expired' }));
  });
});
