import type { Ports } from '#ports/index.ts';

const BATCH_MAX = 200;
/** Bounds one run. Whatever is left over comes with the next. */
const BATCHES_MAX = 50;

/**
 * Tells other services what has happened: on the stream first, and then it is due at the endpoints. Whatever fails in between
 * is told again. Any number of instances may do it at once, and one of them does.
 *
 * @returns how many were relayed
 */
export async function relayEvents({ events, eventStream }: Pick<Ports, 'events' | 'eventStream'>): Promise<number> {
  let relayed = 0;
  for (let batches = 0; batches < BATCHES_MAX; batches++) {
    const batch = await events.take(BATCH_MAX);
    if (batch === undefined) break;
    if ((await eventStream.publish(batch)) === 'overtaken') break;
    if (!(await events.settle(batch))) break;
    relayed += batch.events.length;
  }
  return relayed;
}
