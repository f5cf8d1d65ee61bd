import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import type { ConcertId } from '#domain/ids.ts';
import { type LineView, lineView } from './line-view.ts';

/** What an instance knows of the lines that it is asked about. */
export type LineViews = {
  of(concertId: ConcertId): LineView;
  /** It was heard that this line has moved. */
  moved(concertId: ConcertId): void;
  watch(concertId: ConcertId, onMove: () => void): () => void;
  /** Looks at all of them again, and forgets those that nobody asks for. */
  refresh(): Promise<void>;
};

type Kept = { readonly view: LineView; readonly watchers: Set<() => void>; usedAt: number; looking: boolean };

/** A line that nobody has asked about for so long is not looked at any more. */
const KEPT_MS = 60_000;
/** News of a line is gathered for so long: while sessions turn over, a busy line moves many hundred times a second. */
const NEWS_MS = 20;

export function lineViews(
  redis: RedisClient,
  open: (concertId: ConcertId, view: LineView) => Promise<void>,
): LineViews {
  const lines = new Map<ConcertId, Kept>();

  function keep(concertId: ConcertId): Kept {
    const known = lines.get(concertId);
    if (known !== undefined) {
      known.usedAt = performance.now();
      return known;
    }
    const watchers = new Set<() => void>();
    const tell = () => {
      for (const onMove of watchers) onMove();
    };
    const view: LineView = lineView(redis, concertId, () => open(concertId, view), tell);
    const kept = { view, watchers, usedAt: performance.now(), looking: false };
    lines.set(concertId, kept);
    return kept;
  }

  return {
    of: (concertId) => keep(concertId).view,

    moved(concertId) {
      const line = lines.get(concertId);
      if (line === undefined || line.looking) return;
      line.looking = true;
      setTimeout(() => {
        line.looking = false;
        // What fails here comes with the next refresh, which says so.
        line.view.refresh().catch(() => {});
      }, NEWS_MS).unref();
    },

    watch(concertId, onMove) {
      const { watchers } = keep(concertId);
      watchers.add(onMove);
      return () => watchers.delete(onMove);
    },

    async refresh() {
      for (const [concertId, { usedAt, watchers }] of lines) {
        if (watchers.size === 0 && performance.now() - usedAt > KEPT_MS) lines.delete(concertId);
      }
      await Promise.all([...lines.values()].map(({ view }) => view.refresh()));
    },
  };
}
