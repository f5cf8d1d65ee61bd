import { describe, expect, it } from 'vitest';
import type { PublicEvent } from '#domain/events/public-event.ts';
import { openBoxOffice } from '#tests/contracts/store-harness.ts';
import { type Fault, failingPorts } from '#tests/fakes/failing-ports.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { relayEvents } from '#use-cases/events/relay-events.ts';

const TERM_MS = 10_000;

/** A world in which somebody has held a seat and given it back. */
async function told() {
  const world = memoryWorld();
  const { ports, clock } = world;
  const { user, hold } = await openBoxOffice({
    ...ports,
    stage: async (staged) => world.stage(staged),
    passes: async (milliseconds) => clock.advance(milliseconds),
  });
  const held = await hold(await user(), 1);
  await ports.boxOffice.release(held.userId, held.reservationId);
  return world;
}
const STORY = ['reservation.held', 'reservation.cancelled'];
const typesOf = (events: readonly PublicEvent[]) => events.map(({ type }) => type);

/** As a service sees them that drops what it has seen. */
const seen = (events: readonly PublicEvent[]) => [...new Map(events.map((event) => [event.eventId, event])).values()];

describe('relaying events', () => {
  it('publishes each event once, in order', async () => {
    const { ports, published } = await told();
    expect(await relayEvents(ports)).toBe(2);
    expect(await relayEvents(ports)).toBe(0);
    expect(typesOf(published)).toEqual(STORY);
  });

  it('relays nothing after its lease was lost', async () => {
    const { ports, published, clock } = await told();
    const frozen = {
      ...ports.events,
      async take(batchMax: number) {
        const batch = await ports.events.take(batchMax);
        clock.advance(TERM_MS);
        await relayEvents(ports);
        return batch;
      },
    };
    expect(await relayEvents({ ...ports, events: frozen })).toBe(0);
    expect(typesOf(published)).toEqual(STORY);
  });

  it('fails if the stream is ahead of its fencing token, as it would refuse every batch', async () => {
    const { ports } = await told();
    const ahead = { publish: async () => 'overtaken' as const };
    await expect(relayEvents({ ...ports, eventStream: ahead })).rejects.toThrow(
      'the event stream is ahead of fencing token',
    );
    expect(await relayEvents(ports)).toBe(2);
  });

  it('returns its lease at once if it cannot publish', async () => {
    const { ports, published } = await told();
    const { ports: failing } = failingPorts(ports, [{ nth: 2, takesEffect: false }]);
    await expect(relayEvents(failing)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await relayEvents(ports)).toBe(2);
    expect(typesOf(published)).toEqual(STORY);
  });

  const faults: readonly Fault[] = [1, 2, 3].flatMap((nth) => [
    { nth, takesEffect: false },
    { nth, takesEffect: true },
  ]);
  it.each(faults)('loses and reorders nothing if any call fails: $nth, in effect: $takesEffect', async (fault) => {
    const { ports, published, clock } = await told();
    await expect(relayEvents(failingPorts(ports, [fault]).ports)).rejects.toBeDefined();
    clock.advance(TERM_MS);
    await relayEvents(ports);
    expect(typesOf(seen(published))).toEqual(STORY);
    expect(typesOf(published).slice(-2)).toEqual(STORY);
  });
});
