/** What a fan asks for. */
export type Errand = 'join' | 'poll' | 'leave' | 'reserve' | 'pay';

const ERRANDS: readonly Errand[] = ['join', 'poll', 'leave', 'reserve', 'pay'];

export type Counts = Readonly<Record<string, number>>;
export type Latencies = Readonly<Record<Errand, Float32Array>>;

/** Counts every answer by its errand and status, and keeps how long those took that were served. */
export type Tally = {
  note(errand: Errand, status: number, milliseconds: number): void;
  /** `{ 'poll 200': 9 }` */
  counts(): Counts;
  latencies(): Latencies;
  /** Milliseconds of the polls since this was asked last. */
  recentPolls(): readonly number[];
};

/** 503 and 429: not served now, but told when to come again. */
export const isPutOff = (status: number) => status === 503 || status === 429;

export function newTally(): Tally {
  const counts: Record<string, number> = {};
  const latencies: Record<Errand, number[]> = { join: [], poll: [], leave: [], reserve: [], pay: [] };
  let reported = 0;
  return {
    note(errand, status, milliseconds) {
      const name = `${errand} ${status}`;
      counts[name] = (counts[name] ?? 0) + 1;
      if (!isPutOff(status)) latencies[errand].push(milliseconds);
    },
    counts: () => ({ ...counts }),
    latencies: () =>
      Object.fromEntries(ERRANDS.map((errand) => [errand, Float32Array.from(latencies[errand])])) as Record<
        Errand,
        Float32Array
      >,
    recentPolls() {
      const recent = latencies.poll.slice(reported);
      reported += recent.length;
      return recent;
    },
  };
}
