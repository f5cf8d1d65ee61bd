import type { Pool } from 'pg';
import { until } from './until.ts';

/**
 * Two transactions on connections of their own, the second begun while the first is still open. Answers what each came to:
 * its failure, or undefined once it is committed.
 */
export async function inTwoSessions(pool: Pool, statements: readonly [string, string]): Promise<(Error | undefined)[]> {
  const [first, second] = [await pool.connect(), await pool.connect()];
  try {
    const pid = (await second.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid;
    const early = await failureOf(first.query(`BEGIN; ${statements[0]}`));
    let answered = false;
    const late = failureOf(second.query(`BEGIN; ${statements[1]}`)).finally(() => {
      answered = true;
    });
    await until('the second has finished, or waits for the first', async () => {
      if (answered) return true;
      const { rows } = await pool.query(
        `SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock' AND state = 'active'`,
        [pid],
      );
      return rows.length > 0;
    });
    const committed = early ?? (await failureOf(first.query('COMMIT')));
    return [committed, (await late) ?? (await failureOf(second.query('COMMIT')))];
  } finally {
    // What is left of a transaction that failed goes with its connection.
    first.release(true);
    second.release(true);
  }
}

async function failureOf(statement: Promise<unknown>): Promise<Error | undefined> {
  return statement.then(
    () => undefined,
    (error: Error) => error,
  );
}
