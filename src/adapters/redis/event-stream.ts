import { messageIdOf } from '#domain/public-event.ts';
import type { EventStream } from '#ports/event-stream.ts';
import { EVENT_STREAM, EVENT_TERM } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { run, scripts } from './scripts.ts';

/** @param lengthMax about how many events the stream keeps; whoever reads it has to keep up */
export function redisEventStream(redis: RedisClient, { lengthMax }: { readonly lengthMax: number }): EventStream {
  return {
    async publish({ term, events }) {
      const fields = events.flatMap((event) => [
        messageIdOf(event),
        event.type,
        event.aggregateId,
        event.at.toISOString(),
        JSON.stringify(event.data),
      ]);
      const added = await run(redis, scripts.publish, [EVENT_STREAM, EVENT_TERM], term, lengthMax, ...fields);
      return added === 1 ? 'published' : 'overtaken';
    },
  };
}
