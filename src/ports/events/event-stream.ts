import type { EventBatch } from './events.ts';

/** Where other services read what has happened. Refuses `unavailable` when the store is. */
export type EventStream = {
  /**
   * Adds the events, in their order, all of them or none. Answers `overtaken`, and adds nothing, when a larger term has
   * published: so whoever was held up between taking and publishing cannot put old events behind newer ones.
   */
  publish(batch: EventBatch): Promise<'published' | 'overtaken'>;
};
