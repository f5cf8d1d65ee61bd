import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, expect, test } from 'vitest';
import { heldStatements } from '#adapters/postgres/booking/held-statements.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { DATE, makeUsers, openHall } from '#tests/support/hall.ts';

const pool = new Pool({ connectionString: await freshDatabase(), max: 1 });
// The database may be dropped before the last connection has gone; whatever else is lost, a query will say so.
pool.on('error', () => {});
afterAll(() => pool.end());

type PlanNode = {
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Index Name'?: string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
};

const nodesOf = (node: PlanNode | undefined): readonly PlanNode[] =>
  node === undefined ? [] : [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** All seats of a hall, in one hold. */
async function holdAll(seats: number): Promise<string> {
  const concert = await openHall(pool, { seats });
  const [user] = await makeUsers(pool, 1);
  await pool.query(
    `SELECT hold_seats($1, $2, $3, $4, array(SELECT generate_series(1, $5::integer)), 3600, 3000, 1, 'none', 'k', 'f')`,
    [randomUUID(), user, concert, DATE, seats],
  );
  return concert;
}

test('the dates at which something is held are found without reading all that is held there', async () => {
  const HALLS = 3;
  const concerts = await Promise.all(Array.from({ length: HALLS }, () => holdAll(1_000)));
  await openHall(pool, { seats: 1_000 });
  await pool.query('VACUUM ANALYZE seats');

  const { rows: found } = await pool.query<{ concertId: string }>(heldStatements.listDatesHeld.text);
  expect(found.map(({ concertId }) => concertId)).toEqual(concerts.toSorted());

  const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${heldStatements.listDatesHeld.text}`,
  );
  const reads = nodesOf(rows[0]?.['QUERY PLAN'][0].Plan).filter((node) => node['Relation Name'] === 'seats');
  expect(reads.map((node) => node['Index Name'])).toEqual(['seats_held_by_date', 'seats_held_by_date']);
  // Of three thousand: each date once.
  const rowsRead = reads.reduce((sum, node) => sum + node['Actual Rows'] * node['Actual Loops'], 0);
  expect(Math.round(rowsRead)).toBe(HALLS);
});
