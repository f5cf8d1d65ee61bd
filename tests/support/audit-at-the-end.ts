import { Pool } from 'pg';
import { expect, test } from 'vitest';
import { auditCommand } from './audit-command.ts';
import { untilTold } from './until-told.ts';

type Servers = { readonly databaseUrl: string; readonly redisUrl?: string };

/**
 * A test to come after races: whatever they were about, an operator who audits what they leave behind finds nothing amiss. Before
 * that Redis and other services have to be told of all of it, soon. Without a Redis nobody is waited for, and marks are not
 * looked at: where there are none, or the races do without them.
 *
 * @param relay tells them, where no instance does
 */
export function auditAtTheEnd({ databaseUrl, redisUrl }: Servers, relay?: () => Promise<unknown>): void {
  const marks = redisUrl === undefined ? {} : { REDIS_URL: redisUrl };
  test(`leave nothing for the audit to find${redisUrl === undefined ? ', as far as Postgres knows' : ''}`, async () => {
    if (redisUrl !== undefined) await soonTold(databaseUrl, relay);
    const { said, exitCode } = await auditCommand('books', { DATABASE_URL: databaseUrl, ...marks });
    expect(exitCode, said).toBe(0);
  });
}

async function soonTold(databaseUrl: string, relay?: () => Promise<unknown>): Promise<void> {
  const pool = new Pool({ connectionString: databaseUrl, max: 1 });
  await untilTold(pool, { relay }).finally(() => pool.end());
}
