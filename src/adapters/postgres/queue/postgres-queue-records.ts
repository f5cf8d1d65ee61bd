import { randomBytes } from 'node:crypto';
import { batched } from '#adapters/memory/batch.ts';
import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { replyOf, rowsOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import { type ConcertId, userId } from '#domain/ids.ts';
import type { QueueEvent, QueueProgress, QueueRecords } from '#ports/queue/queue-records.ts';
import { type EventJson, queueStatements } from './queue-statements.ts';

/** Short enough for the queue token, long enough that no two queues get the same epoch. */
const EPOCH_BYTES = 6;
/** Queues looked up by one statement: an instance that starts asks for all of them. */
const PROGRESS_MAX = 1_000;

export function postgresQueueRecords({ pool }: Pick<Postgres, 'pool'>): QueueRecords {
  const findProgress = batched<'', ConcertId, QueueProgress | undefined>(
    () => '',
    async (_, concertIds) => {
      const rows = await rowsOf(pool, queueStatements.findProgress, concertIds);
      const found = new Map(rows.map(({ concertId, ...progress }) => [concertId, progress]));
      return concertIds.map((concertId) => {
        const progress = found.get(concertId);
        return progress && { ...progress, drawn: Number(progress.drawn), head: Number(progress.head) };
      });
    },
    PROGRESS_MAX,
  );

  return {
    findProgress: (concertId) => findProgress('', concertId),

    async open(concertId) {
      const candidate = randomBytes(EPOCH_BYTES).toString('base64url');
      const { answer } = await replyOf(pool, functions.openQueue, concertId, candidate);
      const { draw, sessions, head, ...queue } = answer;
      return {
        ...queue,
        head,
        ...(draw === null ? {} : { draw }),
        sessions: sessions.map(({ joinedMs, ...session }) => ({
          ...session,
          userId: userId(session.userId),
          ...(joinedMs === null ? {} : { joinedAt: new Date(joinedMs) }),
        })),
      };
    },

    async note(concertId, { drawn, head }) {
      await rowsOf(pool, queueStatements.noteQueue, concertId, drawn, head);
    },

    async draw(concertId, count) {
      const [draw] = await rowsOf(pool, functions.drawLots, concertId, count);
      if (draw === undefined) throw new RangeError(`there are no lots at concert ${concertId}`);
      return { seed: draw.seed, count: Number(draw.count) };
    },

    async findSession({ concertId, userId: user, sequence, epoch }, sessionSeconds) {
      const entry = [concertId, user, sequence, epoch] as const;
      const remainingMs = await replyOf(pool, functions.findSession, ...entry, sessionSeconds);
      return remainingMs === null ? undefined : { remainingMs: Number(remainingMs) };
    },

    async record(concertId, events) {
      await rowsOf(pool, queueStatements.recordEvents, concertId, JSON.stringify(events.map(byColumn)));
    },
  };
}

function byColumn({ eventId, kind, sequence, order, joinedAt, at }: QueueEvent): EventJson {
  const [ms, counter, index] = eventId.split('-').map(Number);
  if (ms === undefined || counter === undefined || index === undefined) {
    throw new RangeError(`${eventId} is not milliseconds-counter-index`);
  }
  return {
    logged_ms: ms,
    logged_counter: counter,
    logged_index: index,
    kind,
    sequence,
    admission_order: order,
    joined_at: joinedAt,
    happened_at: at,
  };
}
