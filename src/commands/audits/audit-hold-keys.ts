import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { holdKeys } from '#adapters/redis/keys.ts';
import { ACQUIRED_TTL_MS } from '#adapters/redis/seats/redis-hold-keys.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import { VIOLATIONS_SHOWN_MAX, type Violation } from './audit-books.ts';
import { SEATS_PER_PAGE, seatPages } from './seat-pages.ts';

export type HoldKeysAudit = {
  /** The free seats checked. */
  readonly free: number;
  /** Empty if none has a hold key. */
  readonly violations: readonly Violation[];
};

const INVARIANT = 'a free seat has no hold key for longer than a command takes';
/** Limits the suspects that are checked again together. */
const SUSPECTS_MAX = 10_000;
/** Keys expire by the clock of Redis, and the wait is by ours. */
const ACQUIRED_MARGIN_MS = 500;

/** Reads the hold keys of one date. */
type Keys = { mget(keys: string[]): Promise<(string | null)[]> };
type FreeSeat = {
  readonly concertId: string;
  readonly date: string;
  readonly seatNumber: number;
  /** The same fence later means that the seat was free in between. */
  readonly fence: string;
};
type SuspectSeat = FreeSeat & { readonly holder: string };

/** Hold keys outlast their hold by a moment. */
const FREE = `(s.status = 'AVAILABLE' OR s.status = 'HELD' AND s.held_until < clock_timestamp() - interval '1 second')`;

const FREE_TO_COME = `
  SELECT s.concert_id AS "concertId", s.date::text, s.seat_number AS "seatNumber", s.fence::text
  FROM seats s JOIN concert_dates d USING (concert_id, date)
  WHERE ${FREE} AND d.starts_at > clock_timestamp()`;

/** Free since, with no pending outbox message. */
const STILL_FREE = `
  SELECT suspect.index
  FROM unnest($1::uuid[], $2::date[], $3::integer[], $4::bigint[], $5::text[])
    WITH ORDINALITY AS suspect (concert_id, date, seat_number, fence, holder, index)
  JOIN seats s USING (concert_id, date, seat_number, fence)
  WHERE ${FREE}
    AND NOT EXISTS (SELECT FROM outbox_messages o WHERE o.reservation_id::text = split_part(suspect.holder, ':', 2))`;

/**
 * Looks for hold keys of free seats, of dates to come: such a seat cannot be held while its key lasts. A missing key of a held
 * seat is no fault: Postgres refuses the next client, and the key is put back.
 *
 * A command under way sets keys, too. So each suspect is looked at again once acquired keys have expired: the key is wrong
 * if it is still the same and the seat was free in between.
 *
 * @param acquiredMs how long acquired keys last
 */
export async function auditHoldKeys(pool: Pool, redis: Keys, acquiredMs = ACQUIRED_TTL_MS): Promise<HoldKeysAudit> {
  const first: string[] = [];
  let [free, count] = [0, 0];

  async function judge(suspects: readonly SuspectSeat[]): Promise<void> {
    if (suspects.length === 0) return;
    await pause(acquiredMs + ACQUIRED_MARGIN_MS);
    for (let from = 0; from < suspects.length; from += SEATS_PER_PAGE) {
      const page = suspects.slice(from, from + SEATS_PER_PAGE);
      const holders = await holdersOf(redis, page);
      const wrong = await stillFree(
        pool,
        page.filter(({ holder }, index) => holders[index] === holder),
      );
      count += wrong.length;
      first.push(...wrong.slice(0, VIOLATIONS_SHOWN_MAX - first.length).map(described));
    }
  }

  let suspects: SuspectSeat[] = [];
  for await (const page of seatPages<FreeSeat>(pool, FREE_TO_COME)) {
    free += page.length;
    const holders = await holdersOf(redis, page);
    suspects.push(...page.flatMap((seat, index) => withHolder(seat, holders[index])));
    if (suspects.length < SUSPECTS_MAX) continue;
    await judge(suspects);
    suspects = [];
  }
  await judge(suspects);
  return { free, violations: count === 0 ? [] : [{ invariant: INVARIANT, count, first }] };
}

async function stillFree(pool: Pool, seats: readonly SuspectSeat[]): Promise<readonly SuspectSeat[]> {
  if (seats.length === 0) return [];
  const columns = (['concertId', 'date', 'seatNumber', 'fence', 'holder'] as const).map((column) =>
    seats.map((seat) => seat[column]),
  );
  const { rows } = await pool.query<{ readonly index: string }>(STILL_FREE, columns);
  const indices = new Set(rows.map(({ index }) => Number(index)));
  return seats.filter((_, index) => indices.has(index + 1));
}

/** In the order of the seats. One read per date, as its keys are on one node of a cluster. */
async function holdersOf(redis: Keys, seats: readonly FreeSeat[]): Promise<(string | null)[]> {
  const dates = Map.groupBy(seats, ({ concertId, date }) => `${concertId} ${date}`);
  const holders = await Promise.all([...dates.values()].map((ofDate) => redis.mget(ofDate.flatMap(keysOf))));
  return holders.flat();
}

const keysOf = ({ seatNumber, ...on }: FreeSeat): string[] =>
  holdKeys({ concertId: concertId(on.concertId), date: concertDate(on.date), seatNumbers: [seatNumber] });

const withHolder = (seat: FreeSeat, holder: string | null | undefined): SuspectSeat[] =>
  holder === null || holder === undefined ? [] : [{ ...seat, holder }];

const described = ({ seatNumber, concertId, date, holder }: SuspectSeat): string =>
  `seat ${seatNumber} of ${concertId} on ${date} is free, its hold key is of ${holder}`;
