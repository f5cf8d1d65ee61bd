import type { QueueEvent } from '#ports/queue/queue-records.ts';

export type QueueAudit = {
  readonly counts: Readonly<Record<QueueEvent['kind'], number>>;
  /** Admitted after an entry behind it that was admitted while it waited. */
  readonly inversions: Findings;
  /** Admitted again without having rejoined or ended in between. */
  readonly duplicates: Findings;
  /** Admitted after it was left or forgotten. */
  readonly revived: Findings;
  /** The time from joining to admission; undefined without an admission whose joining time is known. */
  readonly waitedMs:
    | { readonly p50: number; readonly p90: number; readonly p99: number; readonly max: number }
    | undefined;
};

/** The count, and the first ones. */
export type Findings = { readonly count: number; readonly first: readonly QueueEvent[] };

/** Limits the findings shown. */
const FINDINGS_SHOWN_MAX = 100;

/**
 * Checks the recorded events of a queue, in order, for fairness.
 *
 * An entry must be admitted before all entries behind it, counted from its joining or rejoining. An absent entry may be
 * overtaken until it rejoins, a lost one until it is restored. Keeps a few bytes per entry, not the events.
 */
export function queueAuditor() {
  const counts = { admitted: 0, 'passed-over': 0, returned: 0, left: 0, forgotten: 0, restored: 0, ended: 0 };
  const inversions = findings();
  const duplicates = findings();
  const revived = findings();
  const inside = new Set<number>();
  const over = new Set<number>();
  /** The number of admissions before an entry rejoined. */
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
 * The orders admitted, of which only the peaks are kept: an order that a later one exceeds is never the greatest of any
 * suffix. Admissions mostly ascend, so that is one or a few.
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
    /** The greatest order after this many admissions; 0 without any. */
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
