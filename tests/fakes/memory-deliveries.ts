import { v7 as newId } from 'uuid';
import { Refusal } from '#domain/errors.ts';
import type { PublicEvent } from '#domain/events/public-event.ts';
import type { Delivery } from '#domain/events/webhook.ts';
import type { EndpointId } from '#domain/ids.ts';
import type { Deliveries } from '#ports/events/deliveries.ts';
import { type MemoryStore, pageOf, type StoredDelivery, tell } from './memory-store.ts';

const ATTEMPT_LEASE_MS = 60_000;

/** Makes an event due at an endpoint. */
export function sendTo({ deliveries, clock }: MemoryStore, endpointId: EndpointId, event: PublicEvent): StoredDelivery {
  const last = [...deliveries.keys()].at(-1) ?? '0';
  const delivery: StoredDelivery = {
    deliveryId: String(Number(last) + 1),
    endpointId,
    event,
    state: 'PENDING',
    attempts: 0,
    tries: 0,
    createdAt: new Date(clock.now()),
    dueAt: clock.now(),
    attemptLog: [],
  };
  deliveries.set(delivery.deliveryId, delivery);
  return delivery;
}

export function memoryDeliveries(store: MemoryStore): Deliveries {
  const { endpoints, deliveries } = store;
  const now = () => store.clock.now();

  const pendingAt = (id: EndpointId) =>
    [...deliveries.values()]
      .filter(({ endpointId, state }) => endpointId === id && state === 'PENDING')
      .sort((a, b) => a.dueAt - b.dueAt || Number(a.deliveryId) - Number(b.deliveryId));

  const dueAt = (id: EndpointId) =>
    endpoints.get(id)?.enabled ? pendingAt(id).filter((delivery) => delivery.dueAt <= now()) : [];

  /** Whether the time of the next attempt is known. */
  const isPromised = (delivery: StoredDelivery) =>
    delivery.state === 'PENDING' &&
    delivery.attempts === (delivery.attemptLog.at(-1)?.attempt ?? 0) &&
    endpoints.get(delivery.endpointId)?.enabled === true;

  function view(delivery: StoredDelivery): Delivery {
    const { event, endedAt, attemptLog, deliveryId, endpointId, state, attempts, createdAt } = delivery;
    const lastAttempt = attemptLog.at(-1);
    return {
      ...{ deliveryId, endpointId, state, attempts, createdAt },
      eventId: event.eventId,
      type: event.type,
      happenedAt: event.at,
      ...(isPromised(delivery) ? { nextAttemptAt: new Date(delivery.dueAt) } : {}),
      ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt) }),
      ...(lastAttempt === undefined ? {} : { lastAttempt }),
    };
  }

  function startAgain(delivery: StoredDelivery): void {
    Object.assign(delivery, { state: 'PENDING', tries: 0, dueAt: now() });
    delete delivery.endedAt;
  }

  function own(id: EndpointId, deliveryId: string): StoredDelivery | undefined {
    const delivery = deliveries.get(deliveryId);
    return delivery?.endpointId === id && endpoints.has(id) ? delivery : undefined;
  }

  return {
    async listDue() {
      return [...endpoints.keys()].filter((id) => dueAt(id).length > 0);
    },

    async take(id, batchMax) {
      const endpoint = endpoints.get(id);
      if (endpoint === undefined) return [];
      const { url, secret, previousSecret, previousSecretUntil = new Date(0) } = endpoint;
      const bothSign = previousSecret !== undefined && previousSecretUntil.getTime() > now();
      return dueAt(id)
        .slice(0, batchMax)
        .map((delivery) => {
          delivery.attempts += 1;
          delivery.dueAt = now() + ATTEMPT_LEASE_MS;
          const { deliveryId, attempts: attempt, event } = delivery;
          const tries = delivery.tries + 1;
          const secrets = bothSign ? [secret, previousSecret] : [secret];
          return { deliveryId, attempt, tries, takenAt: new Date(now()), url, secrets, event };
        });
    },

    async recordAttempt({ deliveryId, attempt, url }, receipt, verdict) {
      const delivery = deliveries.get(deliveryId);
      if (delivery === undefined || delivery.attemptLog.some((known) => known.attempt === attempt)) return;
      const { retryAfterSeconds: _, ...logged } = { retryAfterSeconds: 0, ...receipt };
      delivery.attemptLog.push({ attempt, endedAt: new Date(now()), ...logged });
      delivery.attemptLog.sort((a, b) => a.attempt - b.attempt);
      if (delivery.attempts !== attempt || delivery.state !== 'PENDING') return;
      const endpoint = endpoints.get(delivery.endpointId);
      const isGone = verdict.state === 'FAILED' && verdict.endpointGone;
      if (isGone && endpoint !== undefined && endpoint.url !== url) {
        delivery.dueAt = now();
        return;
      }
      delivery.state = verdict.state;
      if (verdict.state === 'PENDING') {
        delivery.dueAt = now() + verdict.retryInMs;
        delivery.tries += 1;
      } else delivery.endedAt = now();
      if (isGone && endpoint?.enabled) Object.assign(endpoint, { enabled: false, disabledReason: 'gone' });
    },

    async release({ deliveryId, attempt }) {
      const delivery = deliveries.get(deliveryId);
      if (delivery?.state === 'PENDING' && delivery.attempts === attempt) delivery.dueAt = now();
    },

    async test(id) {
      if (!endpoints.has(id)) return undefined;
      const event = tell(store, 'webhook.test', newId(), new Date(now()), { endpointId: id });
      Object.assign(store.events.at(-1) ?? {}, { relayedAt: now() });
      return view(sendTo(store, id, event));
    },

    async replay(id, deliveryId) {
      const delivery = own(id, deliveryId);
      if (delivery === undefined) throw new Refusal('delivery-not-found');
      if (delivery.state === 'PENDING') throw new Refusal('delivery-pending');
      startAgain(delivery);
      return view(delivery);
    },

    async replayFailed(id, since, batchMax) {
      const failed = [...deliveries.values()]
        .filter(({ endpointId, state }) => endpointId === id && state === 'FAILED')
        .filter(({ endedAt = 0 }) => endedAt >= since.getTime())
        .sort((a, b) => Number(a.event.eventId) - Number(b.event.eventId))
        .slice(0, batchMax);
      for (const delivery of failed) startAgain(delivery);
      return failed.length;
    },

    async find(id, deliveryId) {
      const delivery = own(id, deliveryId);
      return delivery && { delivery: view(delivery), attemptLog: [...delivery.attemptLog] };
    },

    async list(id, page, state) {
      if (!endpoints.has(id)) return { items: [] };
      const all = [...deliveries.values()]
        .filter((delivery) => delivery.endpointId === id && (state === undefined || delivery.state === state))
        .map(view);
      return pageOf(all, ({ deliveryId }) => deliveryId, page);
    },
  };
}
