import { Pool } from 'pg';
import { afterAll } from 'vitest';
import { dueIsFoundByIndex } from '#tests/contracts/due-is-found-by-index.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';

// `tests/heavy/job-indexes.test.ts` counts what is read of a backlog, too.

const pool = new Pool({ connectionString: await freshDatabase(), max: 1 });
// The database may be dropped before the last connection has gone; whatever else is lost, a query will say so.
pool.on('error', () => {});
afterAll(() => pool.end());

const CROWD = 8_000;

dueIsFoundByIndex(pool, CROWD);
