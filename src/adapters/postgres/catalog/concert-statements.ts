import type { Statement } from '#adapters/postgres/client/statement.ts';
import type { OrphanSeats } from '#domain/booking/best-seats.ts';
import type { DateOnSale, SeatStatus } from '#domain/catalog/concert.ts';
import type { Opening, Policy, PolicyNumber } from '#domain/catalog/policy.ts';
import type { SeatPlan } from '#domain/catalog/seat-plan.ts';
import type { SeatsLeft } from '#domain/catalog/seats-left.ts';

// The statements of concerts, dates and seats that need no function.

export type ConcertRow = {
  readonly concertId: string;
  readonly title: string;
  readonly venue: string;
  readonly currency: string;
  readonly salesOpenAt: Date;
  readonly sales: 'UPCOMING' | 'OPEN' | 'CLOSED';
  readonly queueOpensAt: Date;
  readonly opensInSeconds: number;
  readonly opening: Opening | null;
  readonly opensAt: Date | null;
  readonly paused: boolean;
  readonly strandedSeats: OrphanSeats | null;
  /** Null without a lottery; the seed and the columns after it also until lots are drawn. */
  readonly seedSha256: string | null;
  readonly seed: string | null;
  readonly drawnCount: string | null;
  readonly drawnAt: Date | null;
} & { readonly [K in PolicyNumber]: number | null };

/** The column of each field. */
export const policyColumns = {
  opening: 'opening',
  opensAt: 'opens_at',
  activeMax: 'active_max',
  admitPerWindow: 'admit_per_window',
  windowSeconds: 'window_seconds',
  paused: 'paused',
  waitingMax: 'waiting_max',
  sessionSeconds: 'session_seconds',
  claimSeconds: 'claim_seconds',
  absentSeconds: 'absent_seconds',
  graceSeconds: 'grace_seconds',
  holdSeconds: 'hold_seconds',
  holdSecondsMax: 'hold_seconds_max',
  refundUntilSeconds: 'refund_until_seconds',
  seatsPerUserMax: 'seats_per_user_max',
  holdsPerSessionMax: 'holds_per_session_max',
  strandedSeats: 'orphan_seats',
} as const satisfies Record<keyof Policy, string>;

export const policyNames = Object.keys(policyColumns) as (keyof Policy)[];
const allOfPolicy = Object.values(policyColumns).join(', ');

type DateRow = Omit<DateOnSale, 'date'> & { readonly date: string };

export type SeatRow = {
  readonly seatNumber: number;
  readonly price: string;
  readonly status: SeatStatus;
  /** Null in a hall without a plan. */
  readonly section: string | null;
  readonly row: string | null;
  readonly place: number | null;
  readonly grade: string | null;
};

const stillToCome = `EXISTS (
  SELECT FROM concert_dates d WHERE d.concert_id = c.concert_id AND d.starts_at > clock_timestamp())`;
/** A day is the longest session: after the last date has begun, sessions still have to end and events to be recorded. */
const stillInUse = `EXISTS (
  SELECT FROM concert_dates d WHERE d.concert_id = c.concert_id AND d.starts_at > clock_timestamp() - interval '1 day')`;

/** The later one. GREATEST ignores null, the value of a policy that does not set it. */
const queueOpensAt = 'GREATEST(opens_at, sales_open_at)';

const concertColumns = `
  concert_id AS "concertId", title, venue, currency, sales_open_at AS "salesOpenAt",
  ${queueOpensAt} AS "queueOpensAt",
  GREATEST(0, EXTRACT(EPOCH FROM ${queueOpensAt} - clock_timestamp()))::float8 AS "opensInSeconds",
  encode(seed_sha256, 'hex') AS "seedSha256", CASE WHEN drawn_at IS NOT NULL THEN encode(seed, 'hex') END AS seed,
  drawn_count AS "drawnCount", drawn_at AS "drawnAt",
  CASE WHEN sales_open_at > clock_timestamp() THEN 'UPCOMING' WHEN ${stillToCome} THEN 'OPEN' ELSE 'CLOSED' END AS sales,
  ${policyNames.map((name) => `${policyColumns[name]} AS "${name}"`).join(', ')}`;
const fromConcerts = 'FROM concerts c LEFT JOIN lotteries USING (concert_id)';

/** By column, as JSON. A missing column stays; null is null. */
type PolicyJson = string;
/** `[{date, starts_at, seats: [{first, last, price, section?, row_label?, …}], blocked: {[number]: true}}]` */
type DatesJson = string;
/** The lots are drawn from it. Its hash is public at once. */
type Seed = Buffer;

export const concertStatements = {
  findConcert: {
    name: 'find-concert',
    text: `SELECT ${concertColumns} ${fromConcerts} WHERE concert_id = $1`,
  } as Statement<[concertId: string], ConcertRow>,

  listConcerts: {
    name: 'list-concerts',
    text: `SELECT ${concertColumns} ${fromConcerts}
      WHERE ${stillToCome} AND ($1::uuid IS NULL OR concert_id < $1) ORDER BY concert_id DESC LIMIT $2`,
  } as Statement<[after: string | undefined, limit: number], ConcertRow>,

  listServedConcerts: {
    name: 'list-served-concerts',
    text: `SELECT ${concertColumns} ${fromConcerts} WHERE ${stillInUse} AND sales_open_at <= clock_timestamp()`,
  } as Statement<[], ConcertRow>,

  listDates: {
    name: 'list-dates',
    text: `SELECT d.date::text, d.starts_at AS "startsAt", count(s.seat_number)::integer AS "seatsTotal",
        count(*) FILTER (WHERE s.status = 'AVAILABLE' OR (s.status = 'HELD' AND s.held_until <= clock_timestamp()))::integer
          AS "seatsAvailable"
      FROM concert_dates d LEFT JOIN seats s USING (concert_id, date)
      WHERE d.concert_id = $1 AND d.starts_at > clock_timestamp()
      GROUP BY d.date, d.starts_at ORDER BY d.date`,
  } as Statement<[concertId: string], DateRow>,

  createConcert: {
    name: 'create-concert',
    text: `WITH concert AS (
        INSERT INTO concerts (concert_id, title, venue, currency, sales_open_at, ${allOfPolicy})
        SELECT $1, $2, $3, $4, $5, ${allOfPolicy} FROM jsonb_populate_record(NULL::concerts, $6)
      ), dates AS (
        INSERT INTO concert_dates (concert_id, date, starts_at)
        SELECT $1, date, starts_at FROM jsonb_to_recordset($7) AS d (date date, starts_at timestamptz)
      ), plan AS (
        INSERT INTO seat_plans (concert_id, version, plan, plan_sha256)
        SELECT $1, ($8::text::json ->> 'version')::integer, $8::json, sha256(convert_to($8, 'UTF8')) WHERE $8 IS NOT NULL
      )
      INSERT INTO seats (concert_id, date, seat_number, price,
        section, row_label, row_rank, row_first, row_last, place, off_centre, grade, status)
      SELECT $1, date, seat_number, price, section, row_label, row_rank, row_first, row_last,
        place + abs(seat_number - first), off_centre + 2 * abs(seat_number - first), grade,
        (CASE WHEN blocked ? seat_number::text THEN 'BLOCKED' ELSE 'AVAILABLE' END)::seat_status
      FROM jsonb_to_recordset($7) AS d (date date, seats jsonb, blocked jsonb)
        CROSS JOIN LATERAL (
          SELECT *, CASE WHEN place IS NOT NULL THEN min(least(first, last)) OVER of_row END AS row_first,
            CASE WHEN place IS NOT NULL THEN max(greatest(first, last)) OVER of_row END AS row_last
          FROM jsonb_to_recordset(d.seats) AS r (first integer, last integer, price bigint,
            section text, row_label text, row_rank integer, place integer, off_centre integer, grade text)
          WINDOW of_row AS (PARTITION BY section, row_label)) AS run
        CROSS JOIN generate_series(least(first, last), greatest(first, last)) AS seat_number`,
  } as Statement<
    [
      concertId: string,
      title: string,
      venue: string,
      currency: string,
      salesOpenAt: Date,
      policy: PolicyJson,
      dates: DatesJson,
      seatPlan: string | undefined,
    ],
    never
  >,

  findLastDate: {
    name: 'find-last-date',
    text: 'SELECT max(starts_at) AS "startsAt" FROM concert_dates WHERE concert_id = $1',
  } as Statement<[concertId: string], { readonly startsAt: Date | null }>,

  /**
   * Changes and returns nothing if both limits would be off, or if the opening would change after sales have opened.
   */
  changePolicy: {
    name: 'change-policy',
    text: `UPDATE concerts c SET (${allOfPolicy}) = (SELECT ${allOfPolicy} FROM jsonb_populate_record(c, $2))
      WHERE concert_id = $1
        AND EXISTS (SELECT FROM jsonb_populate_record(c, $2) AS changed
          WHERE (COALESCE(changed.active_max, $3) > 0 OR COALESCE(changed.admit_per_window, $4) > 0)
            AND (c.sales_open_at > clock_timestamp() OR COALESCE(changed.opening, $5) = COALESCE(c.opening, $5)))
      RETURNING concert_id AS "concertId"`,
  } as Statement<
    [
      concertId: string,
      change: PolicyJson,
      activeMaxSetting: number,
      admitPerWindowSetting: number,
      openingSetting: Opening,
    ],
    Pick<ConcertRow, 'concertId'>
  >,

  /** An existing seed stays. */
  prepareLots: {
    name: 'prepare-lots',
    text: `INSERT INTO lotteries (concert_id, seed, seed_sha256)
      SELECT concert_id, seed, sha256(seed) FROM unnest($1::uuid[], $2::bytea[]) AS lots (concert_id, seed)
      ON CONFLICT DO NOTHING`,
  } as Statement<[concertIds: readonly string[], seeds: readonly Seed[]], never>,

  /** Date by date, so that each count uses its index. Postgres plans a join of both tables as a scan of all seats. */
  seatsLeft: {
    name: 'seats-left',
    text: `SELECT COALESCE(sum(free + lapsed), 0)::integer AS available, COALESCE(sum(held - lapsed), 0)::integer AS held
      FROM concert_dates d
        CROSS JOIN LATERAL (SELECT count(*) AS free FROM seats s
          WHERE (s.concert_id, s.date) = (d.concert_id, d.date) AND s.status = 'AVAILABLE') AS untaken
        CROSS JOIN LATERAL (
          SELECT count(*) AS held, count(*) FILTER (WHERE s.held_until <= clock_timestamp()) AS lapsed FROM seats s
          WHERE (s.concert_id, s.date) = (d.concert_id, d.date) AND s.status = 'HELD') AS unpaid
      WHERE d.concert_id = $1 AND d.starts_at > clock_timestamp()`,
  } as Statement<[concertId: string], SeatsLeft>,

  listSeats: {
    name: 'list-seats',
    text: `SELECT seat_number AS "seatNumber", price,
        CASE WHEN status = 'HELD' AND held_until <= clock_timestamp() THEN 'AVAILABLE' ELSE status END AS status,
        section, row_label AS row, place, grade
      FROM seats WHERE concert_id = $1 AND date = $2 ORDER BY seat_number`,
  } as Statement<[concertId: string, date: string], SeatRow>,

  findSeatPlan: {
    name: 'find-seat-plan',
    text: `SELECT plan, encode(plan_sha256, 'hex') AS sha256 FROM seat_plans WHERE concert_id = $1`,
  } as Statement<[concertId: string], { readonly plan: SeatPlan; readonly sha256: string }>,
};
