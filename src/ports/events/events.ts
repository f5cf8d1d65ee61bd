import type { PublicEvent } from '#domain/events/public-event.ts';

/** Events that are to be relayed now, by whoever took them. */
export type EventBatch = {
  /** Larger than every term before it. */
  readonly term: number;
  /** Those of one aggregate in the order in which they happened. */
  readonly events: readonly PublicEvent[];
};

/**
 * What other services are told of. An event is written with the change it tells of, in one step: neither is there without
 * the other. Each is relayed at least once, and those of one aggregate in the order in which they happened.
 *
 * Refuses `busy` or `unavailable` when the store is.
 */
export type Events = {
  /**
   * Up to `batchMax` events that were not relayed yet, the oldest first. One at a time may relay: a term goes on until it is
   * settled or some seconds are over. Undefined when there is nothing to relay, or somebody else is at it. Where a batch was not
   * settled it is half of that, so that one which takes too long does not come for ever.
   */
  take(batchMax: number): Promise<EventBatch | undefined>;

  /**
   * These were relayed and need not come again; from now on they are due at the endpoints that want them. Answers whether the
   * term was still the last one. If not, nothing is done: they come again, or have come.
   */
  ack(batch: EventBatch): Promise<boolean>;

  /**
   * Ends a term in which nothing was relayed, so that the next one need not wait. Answers whether the term was still the last
   * one; harmless if not.
   */
  release(batch: EventBatch): Promise<boolean>;

  /** Forgets up to about `batchMax` events relayed so long ago, with their deliveries, and secrets that sign no more; answers how many events. */
  forget(retentionSeconds: number, batchMax: number): Promise<number>;
};
