import { randomBytes } from 'node:crypto';
import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { inTransaction } from '#adapters/postgres/client/in-transaction.ts';
import { pageOf } from '#adapters/postgres/client/page-of.ts';
import { replyOf, rowsOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import type { Endpoint } from '#domain/events/webhook.ts';
import { endpointId } from '#domain/ids.ts';
import type { Webhooks } from '#ports/events/webhooks.ts';
import { type EndpointRow, webhookStatements } from './webhook-statements.ts';

/** As long as the digest that it keys. The convention allows 24 to 64. */
const SECRET_BYTES = 32;
const newSecret = () => `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;

export function postgresWebhooks({ pool }: Pick<Postgres, 'pool'>): Webhooks {
  return {
    async create({ endpointId: id, url, eventTypes }, endpointsMax) {
      const secret = newSecret();
      const order = [id, url, eventTypes, secret, endpointsMax] as const;
      const { answer } = await replyOf(pool, functions.createEndpoint, ...order);
      return {
        endpoint: { endpointId: id, url, eventTypes, enabled: true, createdAt: new Date(answer.createdAt) },
        secret,
      };
    },

    change: (id, { url, eventTypes, enabled }) =>
      inTransaction(pool, async (ask) => {
        await ask(functions.changeEndpoint, id, url, eventTypes, enabled);
        const [row] = await ask(webhookStatements.findEndpoint, id);
        return row && toEndpoint(row);
      }),

    async rotate(id, previousForSeconds) {
      const secret = newSecret();
      const [row] = await rowsOf(pool, webhookStatements.rotateSecret, id, secret, previousForSeconds);
      return row && { endpoint: toEndpoint(row), secret };
    },

    async remove(id) {
      return (await rowsOf(pool, webhookStatements.removeEndpoint, id)).length > 0;
    },

    async find(id) {
      const [row] = await rowsOf(pool, webhookStatements.findEndpoint, id);
      return row && toEndpoint(row);
    },

    async list({ limit, after }) {
      const rows = await rowsOf(pool, webhookStatements.listEndpoints, after, limit + 1);
      return pageOf(rows.map(toEndpoint), limit, (endpoint) => endpoint.endpointId);
    },
  };
}

function toEndpoint({ disabledReason, previousSecretUntil, ...row }: EndpointRow): Endpoint {
  return {
    ...row,
    endpointId: endpointId(row.endpointId),
    enabled: disabledReason === null,
    ...(disabledReason === null ? {} : { disabledReason }),
    ...(previousSecretUntil === null ? {} : { previousSecretUntil }),
  };
}
