import { Pool } from 'pg';
import { expect, test } from 'vitest';
import { connectRedis } from '#adapters/redis/client/connect-redis.ts';
import { auditBooks } from '#commands/audits/audit-books.ts';
import { auditHoldKeys } from '#commands/audits/audit-hold-keys.ts';
import { books, eventNumbers, events, outbox } from '#commands/audits/invariants.ts';
import { untilTold } from './until-told.ts';

type Servers = { readonly databaseUrl: string; readonly redisUrl?: string };

const COMMAND_TIMEOUT_MS = 60_000;

/**
 * A test to come after races: whatever they were about, `npm run audit` finds nothing wrong in what they leave behind. Before
 * that Redis and other services have to be told of all of it. Without a Redis nobody is waited for, and marks are not
 * looked at: where there are none, or the races do without them.
 *
 * @param relay tells them, where no instance does
 */
export function auditAtTheEnd({ databaseUrl, redisUrl }: Servers, relay?: () => Promise<unknown>): void {
  test(`leave nothing for the audit to find${redisUrl === undefined ? ', as far as Postgres knows' : ''}`, async () => {
    const pool = new Pool({ connectionString: databaseUrl, max: 1 });
    // Its database may be dropped while it hangs up.
    pool.on('error', () => {});
    try {
      if (redisUrl !== undefined) await untilTold(pool, { relay });
      const { violations } = await auditBooks(pool, [...books, outbox, events, eventNumbers]);
      expect(violations).toEqual([]);
      if (redisUrl !== undefined) expect(await wrongMarks(pool, redisUrl)).toEqual([]);
    } finally {
      await pool.end();
    }
  });
}

async function wrongMarks(pool: Pool, url: string) {
  // What is lost fails the command that needs it.
  const { redis, close } = await connectRedis({ url, commandTimeoutMs: COMMAND_TIMEOUT_MS }, () => {});
  try {
    return (await auditHoldKeys(pool, redis)).violations;
  } finally {
    await close();
  }
}
