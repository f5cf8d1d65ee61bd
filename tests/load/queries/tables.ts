import type { Pool } from 'pg';

export type Table = {
  readonly name: string;
  readonly rows: number;
  readonly megabytes: number;
  readonly indexMegabytes: number;
};

const LARGE_ROWS_MIN = 100_000;

/** Tables that nothing hot may read as a whole. */
export async function largeTablesOf(pool: Pool): Promise<Table[]> {
  const { rows } = await pool.query<Table>(
    `SELECT relname AS name, reltuples::float8 AS rows, pg_table_size(oid) / 1000000.0::float8 AS megabytes,
       pg_indexes_size(oid) / 1000000.0::float8 AS "indexMegabytes"
     FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples >= $1 ORDER BY reltuples DESC`,
    [LARGE_ROWS_MIN],
  );
  return rows;
}
