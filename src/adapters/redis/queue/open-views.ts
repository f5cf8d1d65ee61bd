import type { ConcertId } from '#domain/ids.ts';
import type { QueueView } from './queue-view.ts';
import type { QueueViews } from './queue-views.ts';

/** What a script needs that may meet a queue that Redis does not have, or not yet again. */
export type OpenViews = {
  readonly views: QueueViews;
  readonly open: (concertId: ConcertId, view: QueueView) => Promise<void>;
  /** How long the instances report what they know of a lost queue. */
  readonly reportMs: number;
  /** A queue may change between two looks: how often to look. */
  readonly triesMax: number;
};
