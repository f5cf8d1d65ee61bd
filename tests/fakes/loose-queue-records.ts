import { createHash } from 'node:crypto';
import type { ConcertId } from '#domain/ids.ts';
import type { QueueEvent, QueueRecord, QueueRecords } from '#ports/queue/queue-records.ts';

type Kept = Omit<QueueRecord, 'known'> & { readonly events: Map<string, QueueEvent> };

/** The record of the lines of concerts that no box office knows, for tests of the line alone. */
export type LooseLines = QueueRecords & {
  /** What is on record of a line, for a test to change before the line is lost. */
  of(concertId: ConcertId): Kept;
  change(concertId: ConcertId, change: Partial<Omit<QueueRecord, 'known' | 'epoch'>>): void;
};

export function looseQueueRecords(): LooseLines {
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
  const change: LooseLines['change'] = (concertId, changed) => {
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
    async note(concertId, { drawn, head }) {
      const line = of(concertId);
      change(concertId, { drawn: Math.max(line.drawn, drawn), head: Math.max(line.head, head) });
    },
    async draw(concertId, count) {
      const draw = of(concertId).draw ?? {
        seed: createHash('sha256').update(`seed of ${concertId}`).digest('hex'),
        count,
      };
      change(concertId, { draw, registering: false });
      return draw;
    },
    // No box office knows what is held or paid for here.
    findSession: async () => undefined,
    async record(concertId, events) {
      const recorded = of(concertId).events;
      for (const event of events) if (!recorded.has(event.eventId)) recorded.set(event.eventId, event);
    },
  };
}
