import type { EventBatch } from './events.ts';

/** The stream from which other services read events. Refuses `unavailable` when the store is. */
export type EventStream = {
  /**
   * Appends all events in their order, or none. Returns `overtaken`, and appends nothing, if a larger fencing token has
   * published. So a delayed worker cannot put old events behind newer ones.
   */
  publish(batch: EventBatch): Promise<'published' | 'overtaken'>;
};
