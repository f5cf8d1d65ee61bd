import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { rowsOf } from '#adapters/postgres/client/statement.ts';
import type { PublicEvent } from '#domain/events/public-event.ts';
import type { Events } from '#ports/events/events.ts';
import { type EventRow, webhookStatements } from './webhook-statements.ts';

/** Longer than a relay takes; one that died delays the next by as much. */
const TERM_SECONDS = 5;

export function postgresEvents({ pool }: Pick<Postgres, 'pool'>): Events {
  return {
    async take(batchMax) {
      const rows = await rowsOf(pool, webhookStatements.takeEvents, batchMax, TERM_SECONDS);
      const [first] = rows;
      return first && { term: Number(first.term), events: rows.map(toEvent) };
    },

    async ack({ term, events }) {
      const ids = events.map(({ eventId }) => eventId);
      const [row] = await rowsOf(pool, webhookStatements.ackEvents, term, ids);
      return row?.settled ?? false;
    },

    async release({ term }) {
      return (await rowsOf(pool, webhookStatements.releaseEvents, term)).length > 0;
    },

    async forget(retentionSeconds, batchMax) {
      const [row] = await rowsOf(pool, webhookStatements.forgetEvents, retentionSeconds, batchMax);
      return row?.count ?? 0;
    },
  };
}

/** That the data fits the type is up to the view `event_stories`; a contract test holds each of them to it. */
export function toEvent({ eventId, type, aggregateId, at, data }: EventRow): PublicEvent {
  return { eventId, type, aggregateId, at, data } as PublicEvent;
}
