import type { Pool } from 'pg';
import type { ConcertId } from '#domain/ids.ts';
import type { QueueEvent } from '#ports/queue/queue-records.ts';

/** Limits the events in memory. */
const EVENTS_PER_PAGE = 10_000;

type EventRow = {
  readonly eventId: string;
  readonly kind: QueueEvent['kind'];
  readonly sequence: string;
  readonly order: string;
  readonly joinedAt: Date | null;
  readonly at: Date;
};

/** Yields the recorded events of a queue in order, page by page, as of the call. */
export async function* readEvents(pool: Pool, concertId: ConcertId): AsyncGenerator<readonly QueueEvent[]> {
  const session = await pool.connect();
  try {
    // A cursor lives as long as its transaction.
    await session.query('BEGIN READ ONLY');
    await session.query(
      `DECLARE events NO SCROLL CURSOR FOR
       SELECT logged_ms || '-' || logged_counter || '-' || logged_index AS "eventId", kind, sequence,
         admission_order AS "order", joined_at AS "joinedAt", happened_at AS at
       FROM queue_events WHERE concert_id = $1 ORDER BY logged_ms, logged_counter, logged_index`,
      [concertId],
    );
    for (;;) {
      const { rows } = await session.query<EventRow>(`FETCH ${EVENTS_PER_PAGE} FROM events`);
      if (rows.length === 0) return;
      yield rows.map((row) => ({
        ...row,
        sequence: Number(row.sequence),
        order: Number(row.order),
        joinedAt: row.joinedAt ?? undefined,
      }));
    }
  } finally {
    // Closing the connection ends the transaction in any state.
    session.release(true);
  }
}
