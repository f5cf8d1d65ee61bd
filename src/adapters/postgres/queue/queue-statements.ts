import type { Reply, Statement } from '#adapters/postgres/client/statement.ts';
import type { QueueEvent } from '#ports/queue/queue-records.ts';

// What is asked about the record of the lines.

export type LineReply = {
  readonly answer: {
    readonly epoch: string;
    readonly known: boolean;
    readonly drawn: number;
    readonly frontier: number;
    readonly registering: boolean;
    readonly draw: { readonly seed: string; readonly count: number } | null;
    readonly sessions: { readonly userId: string; readonly sequence: number; readonly remainingMs: number }[];
    readonly paid: number[];
  };
};

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
/** An array of them. */
type EventsJson = string;

const eventColumns = 'logged_ms, logged_counter, logged_index, kind, sequence, admission_order, joined_at, happened_at';

export const lineStatements = {
  openLine: {
    name: 'open-line',
    text: 'SELECT open_line($1, $2) AS reply',
  } as Statement<[concertId: string, epoch: string], Reply<LineReply>>,

  /** Most notes tell nothing new: those write nothing. */
  noteLine: {
    name: 'note-line',
    text: `UPDATE lines SET drawn = GREATEST(drawn, $2), frontier = GREATEST(frontier, $3)
      WHERE concert_id = $1 AND (drawn < $2 OR frontier < $3)`,
  } as Statement<[concertId: string, drawn: number, frontier: number], never>,

  drawLots: {
    name: 'draw-lots',
    text: 'SELECT seed, count FROM draw_lots($1, $2)',
  } as Statement<[concertId: string, count: number], { readonly seed: string; readonly count: string }>,

  findSession: {
    name: 'find-session',
    text: 'SELECT session_on_record($1, $2, $3, $4, $5) AS "remainingMs"',
  } as Statement<
    [concertId: string, userId: string, sequence: number, epoch: string, sessionSeconds: number],
    { readonly remainingMs: string | null }
  >,

  recordEvents: {
    name: 'record-events',
    text: `INSERT INTO line_events (concert_id, ${eventColumns})
      SELECT $1, ${eventColumns} FROM jsonb_to_recordset($2) AS events (
        logged_ms bigint, logged_counter bigint, logged_index integer, kind text, sequence bigint,
        admission_order bigint, joined_at timestamptz, happened_at timestamptz)
      ON CONFLICT DO NOTHING`,
  } as Statement<[concertId: string, events: EventsJson], never>,
};
