import type { Pool } from 'pg';
import { guarded } from './failures.ts';
import { type Ask, askOf } from './statement.ts';

/**
 * Runs the work as one transaction, so that a command that answers `busy` has changed nothing. For rare commands of
 * operators. Commands of clients are one statement each, as round trips would be waited for under locks.
 */
export function inTransaction<T>(pool: Pool, work: (ask: Ask) => Promise<T>): Promise<T> {
  return guarded(async () => {
    const session = await pool.connect();
    // The running statement reports a lost connection. Without a listener it would also end the process.
    session.on('error', ignore);
    let committed = false;
    try {
      await session.query('BEGIN');
      const result = await work(askOf(session));
      await session.query('COMMIT');
      committed = true;
      return result;
    } finally {
      session.off('error', ignore);
      // An uncommitted transaction ends with its connection, also if the server no longer answers.
      session.release(!committed);
    }
  });
}

function ignore(): void {}
