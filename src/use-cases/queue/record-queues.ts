import type { ConcertId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';

const BATCH_MAX = 1_000;
/** Bounds one run per queue. The next run takes the rest. */
const BATCHES_MAX = 20;

type Needed = Pick<Ports, 'concerts' | 'queue' | 'queueRecords'>;

/**
 * Records the progress and the events of each queue, so that they survive a loss of Redis. Safe in any number of
 * instances: recorded events are not added again.
 */
export async function recordQueues(ports: Needed): Promise<void> {
  const served = await ports.concerts.listServed();
  const outcomes = await Promise.allSettled(served.map(({ concertId }) => recordQueue(ports, concertId)));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function recordQueue({ queue, queueRecords }: Needed, concertId: ConcertId): Promise<void> {
  const { drawn, head } = await queue.survey(concertId);
  if (drawn > 0) await queueRecords.note(concertId, { drawn, head });
  for (let batch = 0; batch < BATCHES_MAX; batch++) {
    const events = await queue.takeEvents(concertId, BATCH_MAX);
    const last = events.at(-1);
    if (last === undefined) return;
    await queueRecords.record(concertId, events);
    await queue.ackEvents(concertId, last);
  }
}
