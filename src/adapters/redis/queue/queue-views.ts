import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { QueueRecords } from '#ports/queue/queue-records.ts';
import { type QueueView, queueView, type Rebuild } from './queue-view.ts';

/** The queues that an instance is asked about. */
export type QueueViews = {
  of(concertId: ConcertId): QueueView;
  /** The same, surveyed at least once: else a reply would tell of an epoch and a draw that the view does not know. */
  surveyed(concertId: ConcertId): Promise<QueueView>;
  /** The queue of this concert has moved. */
  moved(concertId: ConcertId): void;
  watch(concertId: ConcertId, onMove: () => void): () => void;
  /** Surveys all of them, and drops those that were not asked for lately. */
  refresh(): Promise<void>;
};

/** How often to look: a queue may be lost, opened, reported and changed between two looks of a script. */
export const TRIES_MAX = 8;

type Kept = {
  readonly view: QueueView;
  readonly watchers: Set<() => void>;
  usedAt: number;
  isSurveyAwaited: boolean;
};

/** A queue that was not asked for this long is not surveyed any more. */
const KEPT_MS = 60_000;
/** Bounds surveys to fifty a second: while sessions turn over, a busy queue moves many hundred times a second. */
const MOVES_BATCHED_MS = 20;

export function queueViews(
  redis: RedisClient,
  records: QueueRecords,
  rebuild: Rebuild,
  open: (concertId: ConcertId, view: QueueView) => Promise<void>,
): QueueViews {
  const queues = new Map<ConcertId, Kept>();

  function keep(concertId: ConcertId): Kept {
    const known = queues.get(concertId);
    if (known !== undefined) {
      known.usedAt = performance.now();
      return known;
    }
    const watchers = new Set<() => void>();
    const tellWatchers = () => {
      for (const onMove of watchers) onMove();
    };
    const view: QueueView = queueView(redis, records, concertId, rebuild, {
      open: () => open(concertId, view),
      onSurvey: tellWatchers,
    });
    const kept = { view, watchers, usedAt: performance.now(), isSurveyAwaited: false };
    queues.set(concertId, kept);
    return kept;
  }

  return {
    of: (concertId) => keep(concertId).view,

    async surveyed(concertId) {
      const { view } = keep(concertId);
      if (!view.isSurveyed()) await view.refresh();
      return view;
    },

    moved(concertId) {
      const queue = queues.get(concertId);
      if (queue === undefined || queue.isSurveyAwaited) return;
      queue.isSurveyAwaited = true;
      setTimeout(() => {
        queue.isSurveyAwaited = false;
        // The next regular survey reports a failure.
        queue.view.refresh().catch(() => {});
      }, MOVES_BATCHED_MS).unref();
    },

    watch(concertId, onMove) {
      const { watchers } = keep(concertId);
      watchers.add(onMove);
      return () => watchers.delete(onMove);
    },

    async refresh() {
      for (const [concertId, { usedAt, watchers }] of queues) {
        if (watchers.size === 0 && performance.now() - usedAt > KEPT_MS) queues.delete(concertId);
      }
      await Promise.all([...queues.values()].map(({ view }) => view.refresh()));
    },
  };
}
