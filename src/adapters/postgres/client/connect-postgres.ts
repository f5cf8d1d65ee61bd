import { Pool } from 'pg';
import type { PrismaClient } from '#adapters/postgres/generated/client.ts';
import { requireFunctions } from './require-functions.ts';

export type PostgresSettings = {
  readonly url: string;
  readonly poolMax: number;
  /** Limits the wait for a connection; then `busy`. */
  readonly connectTimeoutMs: number;
  /** Limits a statement; the server cancels it. */
  readonly statementTimeoutMs: number;
  /** Limits the wait for another command's lock. */
  readonly lockTimeoutMs: number;
};

export type Postgres = {
  /** For the prepared statements of this folder. */
  readonly pool: Pool;
  /**
   * For rare reads and seeding, over the same connections. Loaded on first use, as the client takes 25 MB and delays the
   * start.
   */
  readonly prisma: () => Promise<PrismaClient>;
  /** Fails unless Postgres answers and has the tables and SQL functions of this version. */
  ping(): Promise<void>;
  close(): Promise<void>;
};

const HANG_UP_MARGIN_MS = 500;
const IDLE_MS = 120_000;

/**
 * One pool for prepared statements and Prisma. The session's time zone is UTC, as Prisma's adapter reads and writes
 * times without their offset.
 *
 * @param onLost is called once when an idle connection is lost; running queries fail by themselves
 * @param onBack is called once when a connection succeeds after that
 */
export function connectPostgres(
  settings: PostgresSettings,
  onLost: (error: Error) => void,
  onBack: () => void = () => {},
): Postgres {
  const pool = new Pool({
    connectionString: settings.url,
    max: settings.poolMax,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    // The server cancels a slow statement. A frozen or unreachable server cancels nothing, so the client hangs up a
    // little later.
    query_timeout: settings.statementTimeoutMs + HANG_UP_MARGIN_MS,
    // A new connection plans and compiles anew, so the next rush should find these.
    idleTimeoutMillis: IDLE_MS,
    keepAlive: true,
    options: `-c TimeZone=UTC -c statement_timeout=${settings.statementTimeoutMs} -c lock_timeout=${settings.lockTimeoutMs}`,
    application_name: 'frontrow',
  });
  let isLost = false;
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', (error) => {
    if (!isLost && !pool.ending) onLost(error);
    isLost = true;
  });
  pool.on('connect', () => {
    if (isLost) onBack();
    isLost = false;
  });
  let prisma: Promise<PrismaClient> | undefined;
  return {
    pool,
    prisma: () => (prisma ??= openPrisma(pool)),
    async ping() {
      await pool.query('SELECT FROM concerts LIMIT 1');
      await requireFunctions(pool);
    },
    async close() {
      await (await prisma)?.$disconnect();
      await pool.end();
    },
  };
}

async function openPrisma(pool: Pool): Promise<PrismaClient> {
  const [{ PrismaPg }, { PrismaClient }] = await Promise.all([
    import('@prisma/adapter-pg'),
    import('#adapters/postgres/generated/client.ts'),
  ]);
  return new PrismaClient({ adapter: new PrismaPg(pool) });
}
