import type { PublicEvent } from '#domain/events/public-event.ts';

/** Events leased to one worker for relaying. */
export type EventBatch = {
  /** Larger than every earlier one. The stream refuses a worker that was overtaken. */
  readonly fencingToken: number;
  /** Those of one aggregate in the order in which they happened. */
  readonly events: readonly PublicEvent[];
};

/**
 * The public facts for other services. An event is written in the commit of its change. It is relayed at least once, in
 * the order of its aggregate.
 *
 * Refuses `busy` or `unavailable` when the store is.
 */
export type Events = {
  /**
   * Leases up to `batchMax` events that were not relayed yet, oldest first, for a few seconds. Undefined without events,
   * or while another worker has the lease. After an expired lease it returns half as many, so that a batch that takes
   * too long shrinks.
   */
  take(batchMax: number): Promise<EventBatch | undefined>;

  /**
   * Marks the events as relayed and makes them due at their endpoints. Returns false, and changes nothing, if the lease
   * was lost.
   */
  ack(batch: EventBatch): Promise<boolean>;

  /** Ends a lease without relaying, so that the next worker need not wait. Returns false if the lease was lost. */
  release(batch: EventBatch): Promise<boolean>;

  /**
   * Deletes up to about `batchMax` events relayed before the retention, with their deliveries, and expired secrets.
   * Returns the number of events.
   */
  forget(retentionSeconds: number, batchMax: number): Promise<number>;
};
