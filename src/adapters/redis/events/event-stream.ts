import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { EVENT_FENCE, EVENT_STREAM } from '#adapters/redis/keys.ts';
import { run, scripts } from '#adapters/redis/scripts.ts';
import { messageIdOf } from '#domain/events/public-event.ts';
import type { EventStream } from '#ports/events/event-stream.ts';

/** @param lengthMax trims the stream to about this many events */
export function redisEventStream(redis: RedisClient, { lengthMax }: { readonly lengthMax: number }): EventStream {
  return {
    async publish({ fencingToken, events }) {
      const fields = events.flatMap((event) => [
        messageIdOf(event),
        event.type,
        event.aggregateId,
        event.aggregateSequence,
        event.at.toISOString(),
        JSON.stringify(event.data),
      ]);
      const args = { fence: fencingToken, lengthMax };
      const added = await run(redis, scripts.publish, [EVENT_STREAM, EVENT_FENCE], args, fields);
      return added === 1 ? 'published' : 'overtaken';
    },
  };
}
