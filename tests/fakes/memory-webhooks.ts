import { randomBytes } from 'node:crypto';
import { Refusal } from '#domain/errors.ts';
import type { Endpoint } from '#domain/events/webhook.ts';
import type { Webhooks } from '#ports/events/webhooks.ts';
import { type MemoryStore, pageOf, type StoredEndpoint } from './memory-store.ts';

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

export function memoryWebhooks({ endpoints, clock }: MemoryStore): Webhooks {
  function view({ secret: _, previousSecret: __, previousSecretUntil: until, ...endpoint }: StoredEndpoint): Endpoint {
    return until !== undefined && until.getTime() > clock.now()
      ? { ...endpoint, previousSecretUntil: until }
      : endpoint;
  }

  return {
    async create(order, endpointsMax) {
      if (endpoints.size >= endpointsMax) throw new Refusal('webhook-limit-reached', { limit: endpointsMax });
      const endpoint = { ...order, enabled: true, createdAt: new Date(clock.now()), secret: newSecret() };
      endpoints.set(order.endpointId, endpoint);
      return { endpoint: view(endpoint), secret: endpoint.secret };
    },

    async change(id, { url, eventTypes, enabled }) {
      const endpoint = endpoints.get(id);
      if (endpoint === undefined) return undefined;
      if (url !== undefined) endpoint.url = url;
      if (eventTypes !== undefined) endpoint.eventTypes = eventTypes;
      if (enabled === true) delete endpoint.disabledReason;
      if (enabled === false) endpoint.disabledReason ??= 'operator';
      if (enabled !== undefined) endpoint.enabled = enabled;
      return view(endpoint);
    },

    async rotate(id, previousForSeconds) {
      const endpoint = endpoints.get(id);
      if (endpoint === undefined) return undefined;
      delete endpoint.previousSecret;
      delete endpoint.previousSecretUntil;
      if (previousForSeconds > 0) {
        endpoint.previousSecret = endpoint.secret;
        endpoint.previousSecretUntil = new Date(clock.now() + previousForSeconds * 1_000);
      }
      endpoint.secret = newSecret();
      return { endpoint: view(endpoint), secret: endpoint.secret };
    },

    async remove(id) {
      return endpoints.delete(id);
    },

    async find(id) {
      const endpoint = endpoints.get(id);
      return endpoint && view(endpoint);
    },

    async list(page) {
      return pageOf([...endpoints.values()].map(view), ({ endpointId }) => endpointId, page);
    },
  };
}
