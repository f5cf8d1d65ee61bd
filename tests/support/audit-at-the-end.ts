import { expect, test } from 'vitest';
import { auditCommand } from './audit-command.ts';

type Servers = { readonly databaseUrl: string; readonly redisUrl?: string };

/**
 * A test to come after races: whatever they were about, an operator who audits what they leave behind finds nothing amiss. Without
 * a Redis the marks of held seats are not looked at: where there are none, or the races do without them.
 */
export function auditAtTheEnd({ databaseUrl, redisUrl }: Servers): void {
  const marks = redisUrl === undefined ? {} : { REDIS_URL: redisUrl };
  test(`leave nothing for the audit to find${redisUrl === undefined ? ', as far as Postgres knows' : ''}`, async () => {
    const { said, exitCode } = await auditCommand('books', { DATABASE_URL: databaseUrl, ...marks });
    expect(exitCode, said).toBe(0);
  });
}
