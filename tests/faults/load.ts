import type { ConcertId } from '#domain/ids.ts';
import type { Asked, Call } from '#tests/history/calls.ts';
import type { Client } from '#tests/support/client/client.ts';
import { until } from '#tests/support/until.ts';
import { bookerOf } from './booker.ts';
import { startRecorder } from './recorder.ts';

/** A crowd that books, and what it was told. */
export type Load = {
  readonly calls: readonly Call[];
  readonly counts: Readonly<{ calls: number; unclear: number }>;
  /** Waits until every kind of command has succeeded so often since then. */
  untilAllSucceed(sinceMs: number): Promise<void>;
  /** Ends when everybody has done what they were at, and looked at all they have. */
  stop(): Promise<void>;
  /** Ends at once, whatever has become of the servers. */
  halt(): Promise<void>;
};

const COMMANDS = ['reserve', 'extend', 'release', 'pay', 'cancel', 'charge'] as const;
const EACH_SUCCEEDS = 3;

export function startLoad(fans: readonly Client[], concertId: ConcertId): Load {
  const recorder = startRecorder();
  const { calls, counts } = recorder;
  /** Since when commands are waited for. */
  let watchedMs = 0;
  const bookers = fans.map((fan) => bookerOf(fan, concertId, recorder, lacking));
  const stopping = new AbortController();
  const over = Promise.all(bookers.map((booker) => booker.keepBooking(stopping.signal)));
  // What goes wrong is reported where it is awaited.
  over.catch(() => {});
  const succeeded = (sinceMs: number) =>
    calls.filter(({ ending, startMs }) => ending.kind === 'done' && startMs >= sinceMs);

  /** What has not succeeded often enough since then: chance alone could take its time. */
  function lacking(): ReadonlySet<Asked['what']> {
    const counts = new Map<Asked['what'], number>();
    for (const { asked } of succeeded(watchedMs)) counts.set(asked.what, (counts.get(asked.what) ?? 0) + 1);
    return new Set(COMMANDS.filter((what) => (counts.get(what) ?? 0) < EACH_SUCCEEDS));
  }

  return {
    calls,
    counts,
    async untilAllSucceed(sinceMs) {
      watchedMs = sinceMs;
      const what = `every kind of command succeeds ${EACH_SUCCEEDS} times`;
      await until(what, () => lacking().size === 0).catch((error) => {
        throw new Error(`${error.message}; not ${[...lacking()].join(', ')}`);
      });
    },
    async halt() {
      stopping.abort();
      await over.catch(() => {});
    },
    async stop() {
      stopping.abort();
      await over;
      await until('all clients have read their records, and one the seats', async () => {
        const looks = await Promise.all(bookers.map((booker) => booker.lookAtAll()));
        return (
          looks.every((own) => own.slice(0, 3).every(({ kind }) => kind === 'done')) &&
          looks.some(([, , , seats]) => seats?.kind === 'done')
        );
      });
    },
  };
}

/** The longest time in which no command of anybody succeeded. */
export function longestOutageMsOf(calls: readonly Call[]): number {
  const commands = new Set<string>(COMMANDS);
  const ends = calls.flatMap(({ asked, ending, endMs }) =>
    ending.kind === 'done' && commands.has(asked.what) ? endMs : [],
  );
  const gaps = ends.toSorted((a, b) => a - b).map((endMs, index, all) => endMs - (all[index - 1] ?? endMs));
  return Math.max(0, ...gaps);
}
