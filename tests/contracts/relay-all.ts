import type { PublicEvent } from '#domain/events/public-event.ts';
import type { Events } from '#ports/events/events.ts';

const BATCH_MAX = 100;

/** Relays all that waits, and answers what it was. */
export async function relayAll(events: Events): Promise<PublicEvent[]> {
  const relayed: PublicEvent[] = [];
  for (let batch = await events.take(BATCH_MAX); batch !== undefined; batch = await events.take(BATCH_MAX)) {
    if (!(await events.ack(batch))) throw new RangeError('somebody else relays here');
    relayed.push(...batch.events);
  }
  return relayed;
}
