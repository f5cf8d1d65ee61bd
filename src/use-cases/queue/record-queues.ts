import type { ConcertId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';

const BATCH_MAX = 1_000;
/** Bounds one run for a line. Whatever is left over comes with the next. */
const BATCHES_MAX = 20;

type Needed = Pick<Ports, 'concerts' | 'queue' | 'queueRecords'>;

/**
 * Puts on record how far each line has come, and what happened to its places, so that both outlast the line's memory. Any
 * number may do it at once: what is on record already is not added again.
 */
export async function recordQueues(ports: Needed): Promise<void> {
  const onSale = await ports.concerts.listOnSale();
  const outcomes = await Promise.allSettled(onSale.map(({ concertId }) => recordQueue(ports, concertId)));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function recordQueue({ queue, queueRecords }: Needed, concertId: ConcertId): Promise<void> {
  const { drawn, frontier } = await queue.survey(concertId);
  if (drawn > 0) await queueRecords.note(concertId, { drawn, frontier });
  for (let batch = 0; batch < BATCHES_MAX; batch++) {
    const events = await queue.takeEvents(concertId, BATCH_MAX);
    const last = events.at(-1);
    if (last === undefined) return;
    await queueRecords.record(concertId, events);
    await queue.ackEvents(concertId, last);
  }
}
