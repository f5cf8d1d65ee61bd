import { createHistogram } from 'node:perf_hooks';

/** How requests of one kind went, since they were last told of. */
export type AnswerFigures = {
  readonly count: number;
  readonly byStatus: Readonly<Record<number, number>>;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
};

const MICROSECONDS = 1_000;
/** Durations are told to two digits. What takes longer than a minute has failed long before. */
const DURATIONS = { lowest: 1, highest: 60_000_000, figures: 2 };

export function countAnswers() {
  const durations = createHistogram(DURATIONS);
  let byStatus: Record<number, number> = {};
  let count = 0;

  return {
    add(status: number, milliseconds: number): void {
      durations.record(Math.max(DURATIONS.lowest, Math.round(milliseconds * MICROSECONDS)));
      byStatus[status] = (byStatus[status] ?? 0) + 1;
      count++;
    },

    /** Begins anew. Undefined when there were none. */
    take(): AnswerFigures | undefined {
      if (count === 0) return undefined;
      const at = (part: number) => durations.percentile(part) / MICROSECONDS;
      const figures = { count, byStatus, p50Milliseconds: at(50), p99Milliseconds: at(99) };
      durations.reset();
      byStatus = {};
      count = 0;
      return figures;
    },
  };
}
