import { createHash } from 'node:crypto';
import type { ConcertId } from '#domain/ids.ts';
import type { QueueEvent, QueueRecord, QueueRecords } from '#ports/queue/queue-records.ts';

type Kept = Omit<QueueRecord, 'known'> & { readonly events: Map<string, QueueEvent> };

/** Queue records without a box office, for tests of the queue alone. */
export type LooseQueueRecords = QueueRecords & {
  /** Returns the record of a queue, which a test may change before it loses the queue. */
  of(concertId: ConcertId): Kept;
  change(concertId: ConcertId, change: Partial<Omit<QueueRecord, 'known' | 'epoch'>>): void;
};

export function looseQueueRecords(): LooseQueueRecords {
  const queueRecords = new Map<ConcertId, Kept>();

  function of(concertId: ConcertId): Kept {
    const kept = queueRecords.get(concertId) ?? {
      epoch: createHash('sha256').update(concertId).digest('base64url').slice(0, 8),
      drawn: 0,
      head: 1,
      registering: false,
      sessions: [],
      paid: [],
      events: new Map(),
    };
    queueRecords.set(concertId, kept);
    return kept;
  }
  const change: LooseQueueRecords['change'] = (concertId, changed) => {
    queueRecords.set(concertId, { ...of(concertId), ...changed });
  };

  return {
    of,
    change,
    async open(concertId) {
      const known = queueRecords.has(concertId);
      const { events: _, ...record } = of(concertId);
      return { ...record, known };
    },
    async findProgress(concertId) {
      return queueRecords.get(concertId);
    },
    async note(concertId, { drawn, head }) {
      const queue = of(concertId);
      change(concertId, { drawn: Math.max(queue.drawn, drawn), head: Math.max(queue.head, head) });
    },
    async draw(concertId, count) {
      const draw = of(concertId).draw ?? {
        seed: createHash('sha256').update(`seed of ${concertId}`).digest('hex'),
        count,
      };
      change(concertId, { draw, registering: false });
      return draw;
    },
    // Nothing is held or paid here.
    findSession: async () => undefined,
    async record(concertId, events) {
      const recorded = of(concertId).events;
      for (const event of events) if (!recorded.has(event.eventId)) recorded.set(event.eventId, event);
    },
  };
}
