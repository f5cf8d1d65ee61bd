import type { QueueEvent } from '#ports/queue/queue-records.ts';

export type QueueAudit = {
  readonly counts: Readonly<Record<QueueEvent['kind'], number>>;
  /** Let in although somebody behind them had been let in while they stood in line. */
  readonly inversions: Findings;
  /** Let in again without having come back or given the place up in between. */
  readonly duplicates: Findings;
  /** Let in although the place had been given up or forgotten. */
  readonly revived: Findings;
  /** From joining to being let in; undefined where nobody was, whose time of joining is known. */
  readonly waitedMs:
    | { readonly p50: number; readonly p90: number; readonly p99: number; readonly max: number }
    | undefined;
};

/** How many there are, and the first of them. */
export type Findings = { readonly count: number; readonly first: readonly QueueEvent[] };

/** More than anybody reads; where there are more, something is wrong with all. */
const FINDINGS_SHOWN_MAX = 100;

/**
 * Looks through the record of a line, event by event in the order in which they happened, and says whether it was fair.
 *
 * Everybody is to be let in before all who are behind them, from when they came or came back: who was passed over is
 * overtaken rightly until they return, who was lost until they are restored. It keeps a few bytes per person, not the events.
 */
export function queueAuditor() {
  const counts = { admitted: 0, 'passed-over': 0, returned: 0, left: 0, forgotten: 0, restored: 0, ended: 0 };
  const inversions = findings();
  const duplicates = findings();
  const revived = findings();
  const inside = new Set<number>();
  const over = new Set<number>();
  /** How many had been let in when somebody came back. */
  const cameBack = new Map<number, number>();
  const history = admissionHistory();
  const waits: number[] = [];

  function admit(event: QueueEvent): void {
    const { sequence, order, joinedAt, at } = event;
    if (inside.has(sequence)) duplicates.add(event);
    else if (history.greatestSince(cameBack.get(sequence) ?? 0) > order) inversions.add(event);
    if (over.has(sequence)) revived.add(event);
    inside.add(sequence);
    cameBack.delete(sequence);
    history.add(order);
    if (joinedAt !== undefined) waits.push(at.getTime() - joinedAt.getTime());
  }

  return {
    add(event: QueueEvent): void {
      const { kind, sequence } = event;
      counts[kind] += 1;
      if (kind === 'admitted') admit(event);
      if (kind === 'returned' || kind === 'restored') cameBack.set(sequence, history.length());
      if (kind === 'returned' || kind === 'restored' || kind === 'forgotten') inside.delete(sequence);
      if (kind === 'left' || kind === 'forgotten') over.add(sequence);
    },
    result: (): QueueAudit => ({
      counts: { ...counts },
      inversions: inversions.all(),
      duplicates: duplicates.all(),
      revived: revived.all(),
      waitedMs: percentiles(waits),
    }),
  };
}

function findings() {
  const first: QueueEvent[] = [];
  let count = 0;
  return {
    add(event: QueueEvent): void {
      count += 1;
      if (first.length < FINDINGS_SHOWN_MAX) first.push(event);
    },
    all: (): Findings => ({ count, first: [...first] }),
  };
}

/**
 * The orders of those who were let in, of which only the peaks are kept: an order that a later one exceeds is never the
 * greatest since any time. As people are let in by ascending order, that is one or a few.
 */
function admissionHistory() {
  const peaks: { readonly index: number; readonly order: number }[] = [];
  let length = 0;
  return {
    length: () => length,
    add(order: number): void {
      while ((peaks.at(-1)?.order ?? Number.POSITIVE_INFINITY) <= order) peaks.pop();
      peaks.push({ index: length, order });
      length += 1;
    },
    /** Of those let in after this many others; 0 if nobody was. */
    greatestSince(index: number): number {
      let [from, to] = [0, peaks.length];
      while (from < to) {
        const middle = (from + to) >> 1;
        if ((peaks[middle]?.index ?? 0) < index) from = middle + 1;
        else to = middle;
      }
      return peaks[from]?.order ?? 0;
    },
  };
}

function percentiles(waits: readonly number[]): QueueAudit['waitedMs'] {
  if (waits.length === 0) return undefined;
  const sorted = Float64Array.from(waits).sort();
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}
