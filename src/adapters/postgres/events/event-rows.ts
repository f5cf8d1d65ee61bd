import type { EventType } from '#domain/events/public-event.ts';

// The replies of the SQL functions of events.

export type EventRow = {
  readonly eventId: string;
  readonly type: EventType;
  readonly aggregateId: string;
  /** A bigint, which `pg` reads as text. */
  readonly aggregateSequence: string;
  readonly at: Date;
  readonly data: unknown;
};

export type DueDeliveryRow = EventRow & {
  readonly deliveryId: string;
  readonly attempt: number;
  readonly tries: number;
  readonly takenAt: Date;
  readonly url: string;
  readonly secrets: string[];
};

export const eventColumns = `event_id AS "eventId", type, aggregate_id AS "aggregateId",
  aggregate_sequence AS "aggregateSequence", happened_at AS at, data`;
