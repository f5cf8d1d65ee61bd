import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { run, scripts } from '#adapters/redis/scripts.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { QueueRecords } from '#ports/queue/queue-records.ts';
import { memberOf } from './member.ts';
import { packNumbers } from './packed-numbers.ts';
import type { QueueView, Rebuild } from './queue-view.ts';

/**
 * Opens queues that Redis does not have: new ones, and lost ones with what is on record and what this instance knows. Calls
 * during an opening share it.
 */
export function queueOpener(
  redis: RedisClient,
  queueRecords: QueueRecords,
  { rebuildMs, reportMs }: Rebuild,
): (concertId: ConcertId, view: QueueView) => Promise<void> {
  const underWay = new Map<ConcertId, Promise<void>>();

  async function open(concertId: ConcertId, view: QueueView): Promise<void> {
    const record = await queueRecords.open(concertId);
    if (record.draw !== undefined) await view.learnDraw(record.draw);
    const known = view.known();
    const isOwn = known.epoch === record.epoch;
    const drawn = Math.max(record.drawn, isOwn ? known.drawn : 0);
    const ended = [...(isOwn ? view.endedEntries().all() : []), ...record.paid.map(view.numberOf)];
    const stateWithoutDraw = record.registering ? 'registering' : '';
    await run(
      redis,
      scripts.open,
      view.keys,
      {
        epoch: record.epoch,
        drawn,
        headKnown: Math.max(record.head, isOwn ? known.head : 1),
        rebuildMs: record.known && drawn > 0 ? rebuildMs : 0,
        reportMs,
        state: record.draw === undefined ? stateWithoutDraw : 'drawn',
        count: record.draw?.count ?? 0,
        seed: record.draw?.seed ?? '',
        ended: packNumbers(ended),
      },
      record.sessions.flatMap(({ userId, sequence, remainingMs, joinedAt }) => [
        memberOf(userId),
        view.numberOf(sequence),
        remainingMs,
        joinedAt?.getTime() ?? 0,
      ]),
    );
  }

  return (concertId, view) => {
    const opening = underWay.get(concertId) ?? open(concertId, view).finally(() => underWay.delete(concertId));
    underWay.set(concertId, opening);
    return opening;
  };
}
