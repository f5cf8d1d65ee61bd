import type { Statement } from '#adapters/postgres/client/statement.ts';
import { type RecordKind, type RecordRow, recordColumns, type SeatChange } from '#domain/records/records.ts';

// The statements that export records and list the history of a seat.

/**
 * Limits one page to some hundred kilobytes and milliseconds. Part of the statement, as Postgres plans a parameter for a
 * tenth of the table.
 */
const ROWS_PER_PAGE = 1_000;

/** Smaller than every id. */
const BEFORE_ALL = { bigint: '0', uuid: '00000000-0000-0000-0000-000000000000' } as const;

/** The table of a kind of records, and its columns. */
type Source = {
  readonly table: string;
  /** Orders the pages: unique and immutable. */
  readonly id: string;
  readonly idType: keyof typeof BEFORE_ALL;
  /** Joins the rows of a page. */
  readonly joins: string;
  readonly recordedAt: string;
  readonly concertId: string;
  readonly columns: Readonly<Record<string, string>>;
};

const time = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const number = (column: string) => `${column}::float8`;

const ofPayment = {
  userId: 'p.user_id',
  concertId: 'r.concert_id',
  amount: number('p.amount'),
  currency: 'p.currency',
};

const sources: { readonly [Kind in RecordKind]: Source } = {
  reservations: {
    table: 'reservations',
    id: 'reservation_id',
    idType: 'uuid',
    joins: '',
    recordedAt: 'page.created_at',
    concertId: 'page.concert_id',
    columns: {
      reservationId: 'page.reservation_id',
      userId: 'page.user_id',
      concertId: 'page.concert_id',
      date: 'page.date::text',
      seatNumbers: `ARRAY(SELECT seat_number FROM reservation_seats s
        WHERE s.reservation_id = page.reservation_id ORDER BY seat_number)`,
      status: `CASE WHEN page.status = 'HELD' AND page.held_until <= clock_timestamp() THEN 'EXPIRED' ELSE page.status END`,
      amount: number('page.amount'),
      currency: 'page.currency',
      heldUntil: time('page.held_until'),
      heldForSeconds: 'page.held_for_seconds',
      createdAt: time('page.created_at'),
      endedAt: time('page.ended_at'),
      sequence: number('page.sequence'),
    },
  },
  payments: {
    table: 'payments',
    id: 'payment_id',
    idType: 'uuid',
    joins: 'JOIN payments p USING (payment_id) JOIN reservations r ON r.reservation_id = p.reservation_id',
    recordedAt: 'p.paid_at',
    concertId: 'r.concert_id',
    columns: {
      ...ofPayment,
      paymentId: 'page.payment_id',
      reservationId: 'p.reservation_id',
      balance: number('p.balance'),
      paidAt: time('p.paid_at'),
      // A subquery per row, as Postgres plans a join as a scan of all refunds.
      refundedAt: time('(SELECT f.refunded_at FROM refunds f WHERE f.payment_id = page.payment_id)'),
    },
  },
  refunds: {
    table: 'refunds',
    id: 'refund_id',
    idType: 'uuid',
    joins: 'JOIN payments p USING (payment_id) JOIN reservations r USING (reservation_id)',
    recordedAt: 'page.refunded_at',
    concertId: 'r.concert_id',
    columns: {
      ...ofPayment,
      refundId: 'page.refund_id',
      paymentId: 'page.payment_id',
      reservationId: 'p.reservation_id',
      balance: number('page.balance'),
      refundedAt: time('page.refunded_at'),
    },
  },
  'ledger-entries': {
    table: 'ledger_entries',
    id: 'entry_id',
    idType: 'bigint',
    joins: 'JOIN ledger_transactions t USING (transaction_id)',
    recordedAt: 't.recorded_at',
    concertId: 'NULL::uuid',
    columns: {
      entryId: 'page.entry_id::text',
      transactionId: 'page.transaction_id',
      kind: 't.kind',
      account: 'page.account',
      userId: 'page.user_id',
      amount: number('page.amount'),
      // A house account has no currency; that of the wallet on the other side applies.
      currency: `(SELECT w.currency FROM ledger_entries other JOIN wallets w ON w.user_id = other.user_id
        WHERE other.transaction_id = page.transaction_id AND other.account = 'WALLET' LIMIT 1)`,
      balance: number('page.balance_after'),
      recordedAt: time('t.recorded_at'),
    },
  },
  'seat-history': {
    table: 'seat_history',
    id: 'change_id',
    idType: 'bigint',
    // Left joins, as no constraint requires these rows, and a page without its last row would be taken for the end.
    joins: 'LEFT JOIN concerts c USING (concert_id) LEFT JOIN reservations r USING (reservation_id)',
    recordedAt: 'page.changed_at',
    concertId: 'page.concert_id',
    columns: {
      changeId: 'page.change_id::text',
      concertId: 'page.concert_id',
      date: 'page.date::text',
      seatNumber: 'page.seat_number',
      change: 'page.change',
      fence: number('page.fence'),
      reservationId: 'page.reservation_id',
      userId: 'r.user_id',
      paymentId: 'page.payment_id',
      price: number('page.price'),
      currency: 'c.currency',
      changedAt: time('page.changed_at'),
    },
  },
};

type PageValues = [after: string | undefined, concertId: string | undefined, from: Date | undefined, until: Date];
type PageRow = { readonly after: string; readonly wanted: boolean } & RecordRow;

/**
 * Reads a page of rows from an id on. Returns the wanted ones, and the last one in any case. So each page costs the same
 * however few of its rows are wanted, and the next one starts after it.
 */
function pageStatement(kind: RecordKind): Statement<PageValues, PageRow> {
  const { table, id, idType, joins, recordedAt, concertId, columns } = sources[kind];
  const fields = recordColumns[kind].map((name) => `${columns[name]} AS "${name}"`);
  const wanted = `(($2::uuid IS NULL OR ${concertId} = $2) AND ($3::timestamptz IS NULL OR ${recordedAt} >= $3) AND ${recordedAt} < $4)`;
  return {
    name: `read-${kind}`,
    text: `WITH page AS MATERIALIZED (
        SELECT * FROM ${table} WHERE ${id} > COALESCE($1::${idType}, '${BEFORE_ALL[idType]}') ORDER BY ${id} LIMIT ${ROWS_PER_PAGE}),
      last AS (SELECT ${id} FROM page ORDER BY ${id} DESC LIMIT 1)
      SELECT page.${id}::text AS after, ${wanted} AS wanted, ${fields.join(', ')}
      FROM page ${joins}
      WHERE ${wanted} OR page.${id} = (SELECT ${id} FROM last) ORDER BY page.${id}`,
  };
}

export type SeatChangeRow = {
  readonly changeId: string;
  readonly change: SeatChange['change'];
  readonly fence: number;
  readonly userId: string | null;
  readonly reservationId: string | null;
  readonly paymentId: string | null;
  readonly price: number;
  readonly currency: string;
  readonly changedAt: Date;
};

export const recordStatements = {
  now: { name: 'now', text: 'SELECT clock_timestamp() AS now' } as Statement<[], { readonly now: Date }>,

  /** The history starts with the creation of the seat, of which no change is recorded. */
  listSeatHistory: {
    name: 'list-seat-history',
    text: `WITH changes AS (
        (SELECT change_id, change, fence, reservation_id, payment_id, price, changed_at FROM seat_history
          WHERE concert_id = $1 AND date = $2 AND seat_number = $3 AND ($4::bigint IS NULL OR change_id < $4)
          ORDER BY change_id DESC LIMIT $5)
        UNION ALL
        SELECT 0, 'created', 0, NULL, NULL, s.price, c.created_at FROM seats s JOIN concerts c USING (concert_id)
        WHERE (s.concert_id, s.date, s.seat_number) = ($1, $2, $3))
      SELECT change_id AS "changeId", change, fence::float8, r.user_id AS "userId", reservation_id AS "reservationId",
        payment_id AS "paymentId", price::float8, (SELECT currency FROM concerts WHERE concert_id = $1), changed_at AS "changedAt"
      FROM changes LEFT JOIN reservations r USING (reservation_id) ORDER BY change_id DESC LIMIT $5`,
  } as Statement<
    [concertId: string, date: string, seatNumber: number, after: string | undefined, limit: number],
    SeatChangeRow
  >,
};

export const pageStatements: { readonly [Kind in RecordKind]: Statement<PageValues, PageRow> } = {
  reservations: pageStatement('reservations'),
  payments: pageStatement('payments'),
  refunds: pageStatement('refunds'),
  'ledger-entries': pageStatement('ledger-entries'),
  'seat-history': pageStatement('seat-history'),
};
