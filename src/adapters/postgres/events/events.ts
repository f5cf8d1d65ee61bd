import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { replyOf, rowsOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import type { PublicEvent } from '#domain/events/public-event.ts';
import type { Events } from '#ports/events/events.ts';
import type { EventRow } from './event-rows.ts';
import { webhookStatements } from './webhook-statements.ts';

/** Longer than a relay takes; one that died delays the next by as much. */
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

/** That the data fits the type is up to the view `public_events`; a contract test holds each of them to it. */
export function toEvent({ eventId, type, aggregateId, at, data }: EventRow): PublicEvent {
  return { eventId, type, aggregateId, at, data } as PublicEvent;
}
