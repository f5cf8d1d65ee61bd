import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { replyOf, rowsOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import type { PublicEvent } from '#domain/events/public-event.ts';
import type { Events } from '#ports/events/events.ts';
import type { EventRow } from './event-rows.ts';
import { webhookStatements } from './webhook-statements.ts';

/** Limits the lease of a batch: longer than a relay takes. An instance that died delays the next batch by this. */
const RELAY_LEASE_SECONDS = 5;

export function postgresEvents({ pool }: Pick<Postgres, 'pool'>): Events {
  return {
    async take(batchMax) {
      const rows = await rowsOf(pool, functions.takeEvents, batchMax, RELAY_LEASE_SECONDS);
      const [first] = rows;
      return first && { fencingToken: Number(first.fencingToken), events: rows.map(toEvent) };
    },

    async ack({ fencingToken, events }) {
      const ids = events.map(({ eventId }) => eventId);
      return replyOf(pool, functions.ackEvents, fencingToken, ids);
    },

    async release({ fencingToken }) {
      return (await rowsOf(pool, webhookStatements.releaseEvents, fencingToken)).length > 0;
    },

    async forget(retentionSeconds, batchMax) {
      return replyOf(pool, functions.forgetEvents, retentionSeconds, batchMax);
    },
  };
}

/** The view `public_events` makes the data fit its type; a contract test checks each type. */
export function toEvent({ eventId, type, aggregateId, aggregateSequence, at, data }: EventRow): PublicEvent {
  return { eventId, type, aggregateId, aggregateSequence: Number(aggregateSequence), at, data } as PublicEvent;
}
