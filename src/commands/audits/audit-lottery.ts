import { hash } from 'node:crypto';
import type { Pool } from 'pg';
import { drawOrder } from '#adapters/redis/queue/draw-order.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { QueueEvent } from '#ports/queue/queue-records.ts';
import { readEvents } from './read-events.ts';

export type LotteryAudit =
  | { readonly status: 'no-lots' }
  | { readonly status: 'not-drawn'; readonly seedSha256: string }
  | {
      readonly status: 'drawn';
      readonly seedSha256: string;
      readonly seed: string;
      readonly count: number;
      readonly drawnAt: Date;
      /** Whether the seed has the published hash. */
      readonly seedMatches: boolean;
      /** The admissions compared with the draw. */
      readonly compared: number;
      /** The admissions in another order than the draw: their count, and the first ones. */
      readonly misplaced: { readonly count: number; readonly first: readonly Misplaced[] };
    };

export type Misplaced = { readonly event: QueueEvent; readonly expected: number };

/** Limits the admissions shown. */
const MISPLACED_SHOWN_MAX = 100;

type LotteryRow = {
  readonly seed: Buffer;
  readonly seedSha256: string;
  readonly count: string | null;
  readonly drawnAt: Date | null;
};

/** Repeats the draw of a concert and compares it with the order of admission. */
export async function auditLottery(pool: Pool, concertId: ConcertId): Promise<LotteryAudit> {
  const { rows } = await pool.query<LotteryRow>(
    `SELECT seed, encode(seed_sha256, 'hex') AS "seedSha256", drawn_count AS count, drawn_at AS "drawnAt"
     FROM lotteries WHERE concert_id = $1`,
    [concertId],
  );
  const [lots] = rows;
  if (lots === undefined) return { status: 'no-lots' };
  const { seed, seedSha256, drawnAt } = lots;
  if (drawnAt === null) return { status: 'not-drawn', seedSha256 };

  const count = Number(lots.count);
  const { order } = await drawOrder(seed, count);
  const first: Misplaced[] = [];
  let compared = 0;
  let misplaced = 0;
  for await (const events of readEvents(pool, concertId)) {
    for (const event of events) {
      if (event.kind !== 'admitted') continue;
      compared += 1;
      // Entries that joined after the draw follow in order of arrival.
      const expected = order[event.sequence - 1] ?? event.sequence;
      if (event.order === expected) continue;
      misplaced += 1;
      if (first.length < MISPLACED_SHOWN_MAX) first.push({ event, expected });
    }
  }
  return {
    status: 'drawn',
    seedSha256,
    seed: seed.toString('hex'),
    count,
    drawnAt,
    seedMatches: hash('sha256', seed, 'hex') === seedSha256,
    compared,
    misplaced: { count: misplaced, first },
  };
}
