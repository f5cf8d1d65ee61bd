import type { PublicEvent } from '#domain/events/public-event.ts';
import type { EventStream } from '#ports/events/event-stream.ts';

/** A stream that shows its events. */
export function memoryEventStream(): EventStream & { readonly published: readonly PublicEvent[] } {
  const published: PublicEvent[] = [];
  let largest = 0;
  return {
    published,
    async publish({ fencingToken, events }) {
      if (fencingToken < largest) return 'overtaken';
      largest = fencingToken;
      published.push(...events);
      return 'published';
    },
  };
}
