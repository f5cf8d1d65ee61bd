import type { Statement } from '#adapters/postgres/client/statement.ts';
import type { QueueEvent } from '#ports/queue/queue-records.ts';

// The statements of queue records that need no function.

/** An event by column, as `jsonb_to_recordset` reads it. */
export type EventJson = {
  readonly logged_ms: number;
  readonly logged_counter: number;
  readonly logged_index: number;
  readonly kind: QueueEvent['kind'];
  readonly sequence: number;
  readonly admission_order: number;
  readonly joined_at: Date | undefined;
  readonly happened_at: Date;
};
type ProgressRow = {
  readonly concertId: string;
  readonly epoch: string;
  readonly drawn: string;
  readonly head: string;
};
/** An array of events. */
type EventsJson = string;

const eventColumns = 'logged_ms, logged_counter, logged_index, kind, sequence, admission_order, joined_at, happened_at';

export const queueStatements = {
  findProgress: {
    name: 'find-progress',
    text: 'SELECT concert_id AS "concertId", epoch, drawn, head FROM queues WHERE concert_id = ANY($1)',
  } as Statement<[concertIds: readonly string[]], ProgressRow>,

  /** Most notes change nothing; those write nothing. */
  noteQueue: {
    name: 'note-queue',
    text: `UPDATE queues SET drawn = GREATEST(drawn, $2), head = GREATEST(head, $3)
      WHERE concert_id = $1 AND (drawn < $2 OR head < $3)`,
  } as Statement<[concertId: string, drawn: number, head: number], never>,

  recordEvents: {
    name: 'record-events',
    text: `INSERT INTO queue_events (concert_id, ${eventColumns})
      SELECT $1, ${eventColumns} FROM jsonb_to_recordset($2) AS events (
        logged_ms bigint, logged_counter bigint, logged_index integer, kind text, sequence bigint,
        admission_order bigint, joined_at timestamptz, happened_at timestamptz)
      ON CONFLICT DO NOTHING`,
  } as Statement<[concertId: string, events: EventsJson], never>,
};
