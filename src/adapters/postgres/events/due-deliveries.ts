import type { Pool } from 'pg';
import { replyOf, rowsOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import { endpointId } from '#domain/ids.ts';
import type { Deliveries } from '#ports/events/deliveries.ts';
import { toEvent } from './events.ts';
import { webhookStatements } from './webhook-statements.ts';

/** Limits the lease of a delivery: longer than an attempt. An instance that died delays its deliveries by this. */
const LEASE_SECONDS = 60;

/** Takes and ends attempts at deliveries. */
export function dueDeliveries(pool: Pool): Pick<Deliveries, 'listDue' | 'take' | 'recordAttempt' | 'release'> {
  return {
    async listDue() {
      const rows = await rowsOf(pool, webhookStatements.listDueEndpoints);
      return rows.map((row) => endpointId(row.endpointId));
    },

    async take(id, batchMax) {
      const rows = await rowsOf(pool, functions.takeDeliveries, id, batchMax, LEASE_SECONDS);
      return rows.map(({ deliveryId, attempt, tries, takenAt, url, secrets, ...event }) => ({
        ...{ deliveryId, attempt, tries, takenAt, url, secrets },
        event: toEvent(event),
      }));
    },

    async recordAttempt({ deliveryId, attempt, url }, receipt, outcome) {
      await replyOf(
        pool,
        functions.recordAttempt,
        deliveryId,
        attempt,
        url,
        outcome.state,
        outcome.state === 'PENDING' ? outcome.retryInMs : undefined,
        outcome.state === 'FAILED' && outcome.endpointGone,
        receipt.durationMs,
        'status' in receipt ? receipt.status : undefined,
        'failure' in receipt ? receipt.failure : undefined,
      );
    },

    async release({ deliveryId, attempt }) {
      await rowsOf(pool, webhookStatements.releaseDelivery, deliveryId, attempt);
    },
  };
}
