import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { run, scripts } from '#adapters/redis/scripts.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { Lines } from '#ports/queue/queue-record.ts';
import { LATE_MS, type LineView } from './line-view.ts';
import { memberOf } from './member.ts';
import { packNumbers } from './packed-numbers.ts';

export type Rebuild = {
  /** How long a line that was lost waits for those who were in it. */
  readonly rebuildMs: number;
  /** How long of that the instances put together what they know of it, before anybody is told anything. */
  readonly gatherMs: number;
};

/**
 * Opens lines that Redis does not have: new ones, and those that it has lost, with what is on record and what this
 * instance knows. Whoever asks while a line is being opened waits for that.
 */
export function lineOpener(
  redis: RedisClient,
  lines: Lines,
  { rebuildMs, gatherMs }: Rebuild,
): (concertId: ConcertId, view: LineView) => Promise<void> {
  const underWay = new Map<ConcertId, Promise<void>>();

  async function open(concertId: ConcertId, view: LineView): Promise<void> {
    const record = await lines.open(concertId);
    if (record.draw !== undefined) await view.learnDraw(record.draw);
    const known = view.known();
    const isOwn = known.epoch === record.epoch;
    const drawn = Math.max(record.drawn, isOwn ? known.drawn : 0);
    const frontier = Math.max(record.frontier, isOwn ? known.frontier : 1);
    const ended = [...(isOwn ? view.ended : []), ...record.paid.map(view.numberOf)];
    const lotteryState = record.registering ? 'registering' : '';
    await run(
      redis,
      scripts.open,
      view.keys,
      record.epoch,
      drawn,
      frontier,
      record.known && drawn > 0 ? rebuildMs : 0,
      LATE_MS,
      gatherMs,
      record.draw === undefined ? lotteryState : 'drawn',
      record.draw?.count ?? 0,
      record.draw?.seed ?? '',
      packNumbers(ended),
      ...record.sessions.flatMap(({ userId, sequence, remainingMs }) => [
        memberOf(userId),
        view.numberOf(sequence),
        remainingMs,
      ]),
    );
  }

  return (concertId, view) => {
    const opening = underWay.get(concertId) ?? open(concertId, view).finally(() => underWay.delete(concertId));
    underWay.set(concertId, opening);
    return opening;
  };
}
