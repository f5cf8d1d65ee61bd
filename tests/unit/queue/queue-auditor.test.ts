import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queueAuditor } from '#commands/audits/queue-auditor.ts';
import type { QueueEvent } from '#ports/queue/queue-records.ts';

type Told = readonly [kind: QueueEvent['kind'], sequence: number, order?: number];

/** A record in which something happens each second; people joined at the beginning. */
function recordOf(told: readonly Told[]): QueueEvent[] {
  return told.map(([kind, sequence, order = sequence], index) => ({
    eventId: `${index}-0-0`,
    kind,
    sequence,
    order,
    joinedAt: new Date(0),
    at: new Date(1_000 * (index + 1)),
  }));
}

function audit(events: readonly QueueEvent[]) {
  const auditor = queueAuditor();
  for (const event of events) auditor.add(event);
  return auditor.result();
}

/** The numbers of those whom the audit objects to. */
function objections(...told: readonly Told[]) {
  const { inversions, duplicates } = audit(recordOf(told));
  const numbers = ({ first }: typeof inversions) => first.map(({ sequence }) => sequence);
  return { inversions: numbers(inversions), duplicates: numbers(duplicates) };
}
const NONE = { inversions: [], duplicates: [] };

describe('a queue is fair if', () => {
  it.each<[what: string, told: readonly Told[]]>([
    ['entries are admitted by number', [1, 2, 3, 5, 9].map((number) => ['admitted', number] as const)],
    [
      'lots were drawn, and later arrivals follow',
      [
        ['admitted', 3, 1],
        ['admitted', 1, 2],
        ['admitted', 2, 3],
        ['admitted', 4],
      ],
    ],
    [
      'an absent entry rejoins and is next',
      [
        ['passed-over', 1],
        ['admitted', 2],
        ['returned', 1],
        ['admitted', 1],
        ['admitted', 3],
      ],
    ],
    [
      'rejoined entries go before the queue, by number',
      [
        ['passed-over', 1],
        ['passed-over', 2],
        ['admitted', 3],
        ['returned', 2],
        ['returned', 1],
        ['admitted', 1],
        ['admitted', 2],
      ],
    ],
    [
      'a lost entry is restored late',
      [
        ['admitted', 7],
        ['restored', 4],
        ['admitted', 4],
        ['admitted', 8],
      ],
    ],
    [
      'an entry with a lost session is admitted again',
      [
        ['admitted', 1],
        ['restored', 1],
        ['admitted', 1],
      ],
    ],
    [
      'an entry left or was forgotten',
      [
        ['left', 2],
        ['passed-over', 1],
        ['forgotten', 1],
        ['admitted', 3],
      ],
    ],
  ])('%s', (_, told) => {
    expect(objections(...told)).toEqual(NONE);
  });
});

describe('it reports', () => {
  it.each<[what: string, told: readonly Told[], objected: { inversions?: number[]; duplicates?: number[] }]>([
    [
      'an entry admitted after a later one',
      [
        ['admitted', 2],
        ['admitted', 1],
      ],
      { inversions: [1] },
    ],
    [
      'each overtaken entry',
      [
        ['admitted', 9],
        ['admitted', 3],
        ['admitted', 4],
        ['admitted', 10],
      ],
      { inversions: [3, 4] },
    ],
    [
      'an order other than that of the lots',
      [
        ['admitted', 1, 2],
        ['admitted', 2, 1],
      ],
      { inversions: [2] },
    ],
    [
      'an entry overtaken after it rejoined',
      [
        ['passed-over', 1],
        ['admitted', 2],
        ['returned', 1],
        ['admitted', 3],
        ['admitted', 1],
      ],
      { inversions: [1] },
    ],
    [
      'an entry overtaken after it was restored',
      [
        ['restored', 4],
        ['admitted', 5],
        ['admitted', 4],
      ],
      { inversions: [4] },
    ],
    [
      'an entry overtaken a second time, after it had rejoined',
      [
        ['passed-over', 1],
        ['returned', 1],
        ['admitted', 1],
        ['returned', 1],
        ['admitted', 5],
        ['admitted', 1],
      ],
      { inversions: [1] },
    ],
    [
      'an entry admitted twice',
      [
        ['admitted', 1],
        ['admitted', 2],
        ['admitted', 1],
      ],
      { duplicates: [1] },
    ],
    [
      'an entry admitted again after it left',
      [
        ['admitted', 1],
        ['left', 1],
        ['admitted', 1],
      ],
      { duplicates: [1] },
    ],
  ])('%s', (_, told, objected) => {
    expect(objections(...told)).toEqual({ ...NONE, ...objected });
  });

  it('every admission out of order, as a comparison with all earlier ones does', () => {
    const orders = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 });
    fc.assert(
      fc.property(orders, (order) => {
        const overtaken = order.filter((own, index) => order.slice(0, index).some((before) => before > own));
        expect(objections(...order.map((number) => ['admitted', number] as const)).inversions).toEqual(overtaken);
      }),
    );
  });

  it('more contradictions than it shows', () => {
    const backwards = Array.from({ length: 300 }, (_, index) => ['admitted', 300 - index] as const);
    const { inversions } = audit(recordOf(backwards));
    expect(inversions.count).toBe(299);
    expect(inversions.first.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 100 }, (_, index) => 299 - index),
    );
  });
});

describe('it counts', () => {
  it('each kind of event', () => {
    const { counts } = audit(
      recordOf([
        ['admitted', 1],
        ['admitted', 2],
        ['passed-over', 3],
        ['returned', 3],
        ['left', 4],
        ['forgotten', 5],
        ['restored', 6],
        ['ended', 1],
      ]),
    );
    expect(counts).toEqual({
      admitted: 2,
      'passed-over': 1,
      returned: 1,
      left: 1,
      forgotten: 1,
      restored: 1,
      ended: 1,
    });
  });

  it('the waiting times of entries with a known join time', () => {
    const hundred = recordOf(Array.from({ length: 100 }, (_, index) => ['admitted', index + 1] as const));
    expect(audit(hundred).waitedMs).toEqual({ p50: 50_000, p90: 90_000, p99: 99_000, max: 100_000 });
    const unknown = hundred.map((event) => ({ ...event, joinedAt: event.sequence === 7 ? event.joinedAt : undefined }));
    expect(audit(unknown).waitedMs).toEqual({ p50: 7_000, p90: 7_000, p99: 7_000, max: 7_000 });
    expect(audit([]).waitedMs).toBeUndefined();
  });
});
