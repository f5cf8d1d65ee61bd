import type { EventBatch } from '#ports/events/events.ts';
import type { Ports } from '#ports/index.ts';

const BATCH_MAX = 200;
/** Bounds one run. The next run takes the rest. */
const BATCHES_MAX = 50;

type Needed = Pick<Ports, 'events' | 'eventStream'>;

/**
 * Relays events to the stream first, and then to the webhook endpoints. A failure in between repeats them. Safe in any
 * number of instances: the lease lets one work at a time.
 *
 * @returns how many events were relayed
 * @throws RangeError if the stream has seen a fencing token that the store never gave
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

/** On failure, ends the lease so that another instance can try. */
async function publish({ events, eventStream }: Needed, batch: EventBatch): Promise<boolean> {
  let published = false;
  try {
    published = (await eventStream.publish(batch)) === 'published';
  } catch (error) {
    await events.release(batch);
    throw error;
  }
  // The lease was not lost, so the store never gave the token that the stream has seen. Until that is repaired, no
  // event is relayed.
  if (!published && (await events.release(batch)))
    throw new RangeError(`the event stream is ahead of fencing token ${batch.fencingToken}`);
  return published;
}
