import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { seatKeys } from '#adapters/redis/keys.ts';
import { CLAIM_TTL_MS } from '#adapters/redis/seats/redis-hold-keys.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import { VIOLATIONS_SHOWN_MAX, type Violation } from './audit-books.ts';
import { SEATS_PER_PAGE, seatPages } from './seat-pages.ts';

export type FreeMarksAudit = {
  /** How many free seats were looked at. */
  readonly compared: number;
  /** Empty if none of them is marked. */
  readonly violations: readonly Violation[];
};

const INVARIANT = 'a free seat is not marked in Redis for longer than a claim takes';
/** Marked ones that are waited for together. */
const SUSPECTS_MAX = 10_000;
/** Claims end by the clock of Redis, and are waited for by ours. */
const CLAIM_MARGIN_MS = 500;

/** Tells the marks of seats of one date. */
type Marks = { mget(keys: string[]): Promise<(string | null)[]> };
type FreeSeat = {
  readonly concertId: string;
  readonly date: string;
  readonly seatNumber: number;
  /** How often the seat was taken: as long as it is the same, nobody has had it. */
  readonly fence: string;
};
type MarkedSeat = FreeSeat & { readonly mark: string };

/** A mark outlasts its hold by a moment. */
const FREE = `(s.status = 'AVAILABLE' OR s.status = 'HELD' AND s.held_until < clock_timestamp() - interval '1 second')`;

const FREE_TO_COME = `
  SELECT s.concert_id AS "concertId", s.date::text, s.seat_number AS "seatNumber", s.fence::text
  FROM seats s JOIN concert_dates d USING (concert_id, date)
  WHERE ${FREE} AND d.starts_at > clock_timestamp()`;

/** Those that nobody has had since, and of which Redis has been told. */
const STILL_FREE = `
  SELECT marked.index
  FROM unnest($1::uuid[], $2::date[], $3::integer[], $4::bigint[], $5::text[])
    WITH ORDINALITY AS marked (concert_id, date, seat_number, fence, mark, index)
  JOIN seats s USING (concert_id, date, seat_number, fence)
  WHERE ${FREE}
    AND NOT EXISTS (SELECT FROM outbox o WHERE o.reservation_id::text = split_part(marked.mark, ':', 2))`;

/**
 * Looks for marks on seats that are free, of dates still to come: nobody gets such a seat while its mark lasts, as Postgres is
 * not asked for it.
 *
 * A command that is under way has marked its seats, too. So whatever is marked is looked at again when a claim would be over:
 * it is wrong if the mark is the same one, and the seat has been free all the time.
 *
 * @param claimMs how long a claim lasts
 */
export async function auditFreeMarks(pool: Pool, redis: Marks, claimMs = CLAIM_TTL_MS): Promise<FreeMarksAudit> {
  const first: string[] = [];
  let [compared, count] = [0, 0];

  async function judge(suspects: readonly MarkedSeat[]): Promise<void> {
    if (suspects.length === 0) return;
    await pause(claimMs + CLAIM_MARGIN_MS);
    for (let from = 0; from < suspects.length; from += SEATS_PER_PAGE) {
      const page = suspects.slice(from, from + SEATS_PER_PAGE);
      const marks = await marksOf(redis, page);
      const wrong = await stillFree(
        pool,
        page.filter(({ mark }, index) => marks[index] === mark),
      );
      count += wrong.length;
      first.push(...wrong.slice(0, VIOLATIONS_SHOWN_MAX - first.length).map(described));
    }
  }

  let suspects: MarkedSeat[] = [];
  for await (const page of seatPages<FreeSeat>(pool, FREE_TO_COME)) {
    compared += page.length;
    const marks = await marksOf(redis, page);
    suspects.push(...page.flatMap((seat, index) => withMark(seat, marks[index])));
    if (suspects.length < SUSPECTS_MAX) continue;
    await judge(suspects);
    suspects = [];
  }
  await judge(suspects);
  return { compared, violations: count === 0 ? [] : [{ invariant: INVARIANT, count, first }] };
}

async function stillFree(pool: Pool, seats: readonly MarkedSeat[]): Promise<readonly MarkedSeat[]> {
  if (seats.length === 0) return [];
  const columns = (['concertId', 'date', 'seatNumber', 'fence', 'mark'] as const).map((column) =>
    seats.map((seat) => seat[column]),
  );
  const { rows } = await pool.query<{ readonly index: string }>(STILL_FREE, columns);
  const indices = new Set(rows.map(({ index }) => Number(index)));
  return seats.filter((_, index) => indices.has(index + 1));
}

/** In the order of the seats; those of one date are asked for at once, as in a cluster they are together. */
async function marksOf(redis: Marks, seats: readonly FreeSeat[]): Promise<(string | null)[]> {
  const dates = Map.groupBy(seats, ({ concertId, date }) => `${concertId} ${date}`);
  const marks = await Promise.all([...dates.values()].map((ofDate) => redis.mget(ofDate.flatMap(keysOf))));
  return marks.flat();
}

const keysOf = ({ seatNumber, ...on }: FreeSeat): string[] =>
  seatKeys({ concertId: concertId(on.concertId), date: concertDate(on.date), seatNumbers: [seatNumber] });

const withMark = (seat: FreeSeat, mark: string | null | undefined): MarkedSeat[] =>
  mark === null || mark === undefined ? [] : [{ ...seat, mark }];

const described = ({ seatNumber, concertId, date, mark }: MarkedSeat): string =>
  `seat ${seatNumber} of ${concertId} on ${date} is free, its mark is of ${mark}`;
