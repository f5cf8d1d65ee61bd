import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { EVENT_STREAM } from '#adapters/redis/keys.ts';
import { messageIdOf, type PublicEvent } from '#domain/events/public-event.ts';

/** All that the stream of events has, as another service reads it. */
export async function readStream(redis: RedisClient): Promise<PublicEvent[]> {
  const entries = await redis.xrange(EVENT_STREAM, '-', '+');
  return entries.map(([, flat]) => {
    const fields = Object.fromEntries(
      Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index], flat[2 * index + 1]]),
    ) as Record<'id' | 'type' | 'aggregate' | 'aggregateSequence' | 'timestamp' | 'data', string>;
    const event = {
      eventId: fields.id.split('_').at(-1) ?? '',
      type: fields.type,
      aggregateId: fields.aggregate,
      aggregateSequence: Number(fields.aggregateSequence),
      at: new Date(fields.timestamp),
      data: JSON.parse(fields.data),
    } as PublicEvent;
    if (messageIdOf(event) !== fields.id) throw new RangeError(`${fields.id} is not the id of ${messageIdOf(event)}`);
    return event;
  });
}
