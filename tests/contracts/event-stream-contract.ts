import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import { messageIdOf, type PublicEvent } from '#domain/events/public-event.ts';
import type { EventStream } from '#ports/events/event-stream.ts';

export type EventStreamHarness = {
  readonly eventStream: EventStream;
  /** What whoever reads the stream finds there, the first one first. */
  published(): Promise<readonly PublicEvent[]>;
};

/** What `EventStream` promises. */
export function eventStreamContract({ eventStream, published }: EventStreamHarness): void {
  // Larger than any fencing token of a test before this one.
  let tokens = Date.now();
  const nextToken = () => ++tokens;
  const event = (): PublicEvent => {
    const endpointId = newId();
    const at = new Date(Date.UTC(2027, 0, 1, 12));
    return {
      eventId: String(++tokens),
      type: 'webhook.test',
      aggregateId: endpointId,
      aggregateSequence: 1,
      at,
      data: { endpointId },
    };
  };
  const idsOf = (events: readonly PublicEvent[]) => events.map(messageIdOf);
  async function shown(events: readonly PublicEvent[]): Promise<string[]> {
    const ours = new Set(idsOf(events));
    return idsOf(await published()).filter((id) => ours.has(id));
  }

  describe('a stream of events', () => {
    it('contains them unchanged and in order', async () => {
      const events = [event(), event(), event()];
      expect(await eventStream.publish({ fencingToken: nextToken(), events })).toBe('published');
      expect((await published()).slice(-3)).toEqual(events);
    });

    it('refuses a smaller fencing token once a larger one has published', async () => {
      const [older, newer] = [nextToken(), nextToken()];
      const [old, fresh] = [[event()], [event()]];
      await eventStream.publish({ fencingToken: newer, events: fresh });
      expect(await eventStream.publish({ fencingToken: older, events: old })).toBe('overtaken');
      expect(await shown([...old, ...fresh])).toEqual(idsOf(fresh));
    });

    it('contains twice what is published twice: readers drop the second', async () => {
      const events = [event(), event()];
      await eventStream.publish({ fencingToken: nextToken(), events });
      await eventStream.publish({ fencingToken: nextToken(), events });
      expect(await shown(events)).toEqual([...idsOf(events), ...idsOf(events)]);
    });
  });
}
