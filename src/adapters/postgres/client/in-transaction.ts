import type { Pool } from 'pg';
import { guarded } from './failures.ts';
import { type Ask, askOf } from './statement.ts';

/**
 * All that the work asks for, or nothing: where a command answers what it reads after it wrote, whoever is told `busy` may
 * repeat it. For what operators do now and then. What fans do is one statement: they would wait for each round trip under
 * each other's locks.
 */
export function inTransaction<T>(pool: Pool, work: (ask: Ask) => Promise<T>): Promise<T> {
  return guarded(async () => {
    const session = await pool.connect();
    // The statement under way reports a lost connection; without a listener it would also end the process.
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
      // What is not committed goes with its connection, also where that answers no more.
      session.release(!committed);
    }
  });
}

function ignore(): void {}
