import { createHistogram } from 'node:perf_hooks';

/** The figures of one kind of request, since the last summary. */
export type AnswerFigures = {
  readonly count: number;
  readonly byStatus: Readonly<Record<number, number>>;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
};

const MICROSECONDS = 1_000;
/** Durations in microseconds, to two digits, up to a minute. */
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

    /** Returns the figures and resets them. Undefined without requests. */
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
