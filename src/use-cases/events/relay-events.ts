import type { EventBatch } from '#ports/events/events.ts';
import type { Ports } from '#ports/index.ts';

const BATCH_MAX = 200;
/** Bounds one run. Whatever is left over comes with the next. */
const BATCHES_MAX = 50;

type Needed = Pick<Ports, 'events' | 'eventStream'>;

/**
 * Tells other services what has happened: on the stream first, and then it is due at the endpoints. Whatever fails in between
 * is told again. Any number of instances may do it at once, and one of them does.
 *
 * @returns how many were relayed
 * @throws RangeError if the stream has seen a term that there has not been
 */
export async function relayEvents(ports: Needed): Promise<number> {
  let relayed = 0;
  for (let batches = 0; batches < BATCHES_MAX; batches++) {
    const batch = await ports.events.take(BATCH_MAX);
    if (batch === undefined) break;
    if (!(await publish(ports, batch))) break;
    if (!(await ports.events.ack(batch))) break;
    relayed += batch.events.length;
  }
  return relayed;
}

/** Whoever cannot publish lets the next one try. */
async function publish({ events, eventStream }: Needed, batch: EventBatch): Promise<boolean> {
  let published = false;
  try {
    published = (await eventStream.publish(batch)) === 'published';
  } catch (error) {
    await events.release(batch);
    throw error;
  }
  // Overtaken by a term that nobody has begun: as long as the stream remembers it, nothing is told to anybody.
  if (!published && (await events.release(batch))) throw new RangeError(`the stream is ahead of term ${batch.term}`);
  return published;
}
