import { existsSync } from 'node:fs';
import { Pool } from 'pg';
import { type ConcertId, concertId } from '#domain/ids.ts';

/** The output of an audit. Exit code 0: all right, 1: not, 2: unknown. */
export type AuditReport = { readonly lines: readonly string[]; readonly exitCode: 0 | 1 | 2 };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Audits the concert named on the command line, in the database of the environment or of `.env`. */
export async function runAudit(
  name: string,
  audit: (pool: Pool, concertId: ConcertId) => Promise<AuditReport>,
): Promise<void> {
  const [, , id = ''] = process.argv;
  if (!UUID.test(id)) return tell(cannotTell(`Of which concert? npm run ${name} -- <concertId>`));
  await runSweep(name, (pool) => audit(pool, concertId(id.toLowerCase())));
}

/** Audits all data in the database of the environment or of `.env`, and in its Redis if one is set. */
export async function runSweep(
  name: string,
  audit: (pool: Pool, redisUrl: string | undefined) => Promise<AuditReport>,
): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile();
  const { DATABASE_URL: url, REDIS_URL: redisUrl } = process.env;
  if (!url) return tell(cannotTell('DATABASE_URL is not set: in which database is the record?'));
  const pool = new Pool({ connectionString: url, max: 1, application_name: name });
  try {
    tell(await audit(pool, redisUrl || undefined));
  } catch (error) {
    tell(cannotTell(`The record cannot be read: ${error instanceof Error ? error.message : error}`));
  } finally {
    await pool.end();
  }
}

function tell({ lines, exitCode }: AuditReport): void {
  console.log(lines.join('\n'));
  process.exitCode = exitCode;
}

export const cannotTell = (why: string): AuditReport => ({ lines: [why], exitCode: 2 });
