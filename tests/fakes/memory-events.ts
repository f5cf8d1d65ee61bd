import type { Events } from '#ports/events/events.ts';
import { sendTo } from './memory-deliveries.ts';
import type { MemoryStore } from './memory-store.ts';

const TERM_MS = 10_000;

export function memoryEvents(store: MemoryStore): Events {
  const { relay, events, endpoints, deliveries } = store;
  const now = () => store.clock.now();

  return {
    async take(batchMax) {
      const max = relay.unacked === 0 ? batchMax : Math.min(batchMax, Math.ceil(relay.unacked / 2));
      const waiting = events.filter(({ relayedAt }) => relayedAt === undefined).slice(0, max);
      if (waiting.length === 0 || relay.leasedUntil > now()) return undefined;
      relay.unacked = waiting.length;
      relay.fencingToken = Math.max(relay.fencingToken + 1, now());
      relay.leasedUntil = now() + TERM_MS;
      return { fencingToken: relay.fencingToken, events: waiting.map(({ event }) => event) };
    },

    async ack({ fencingToken, events: relayed }) {
      if (fencingToken !== relay.fencingToken) return false;
      Object.assign(relay, { leasedUntil: now(), unacked: 0 });
      for (const event of relayed) {
        const stored = events.find((other) => other.event === event);
        if (stored === undefined || stored.relayedAt !== undefined) continue;
        stored.relayedAt = now();
        for (const { endpointId, enabled, eventTypes } of endpoints.values()) {
          const wanted = eventTypes.length === 0 || eventTypes.some((type) => type === event.type);
          if (enabled && wanted) sendTo(store, endpointId, event);
        }
      }
      return true;
    },

    async release({ fencingToken }) {
      if (fencingToken !== relay.fencingToken) return false;
      Object.assign(relay, { leasedUntil: now(), unacked: 0 });
      return true;
    },

    async forget(retentionSeconds, batchMax) {
      const old = events
        .slice(0, batchMax)
        .filter(({ relayedAt = Number.POSITIVE_INFINITY }) => relayedAt < now() - retentionSeconds * 1_000);
      for (const stored of old) {
        events.splice(events.indexOf(stored), 1);
        for (const { deliveryId, event } of [...deliveries.values()]) {
          if (event === stored.event) deliveries.delete(deliveryId);
        }
      }
      return old.length;
    },
  };
}
