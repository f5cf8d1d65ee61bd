import { Pool } from 'pg';
import type { PrismaClient } from '#adapters/postgres/generated/client.ts';
import { requireFunctions } from './require-functions.ts';

export type PostgresSettings = {
  readonly url: string;
  readonly poolMax: number;
  /** How long to wait for a connection before answering `busy`. */
  readonly connectTimeoutMs: number;
  /** A statement that takes longer is ended by the server. */
  readonly statementTimeoutMs: number;
  /** A command that waits longer for another one's lock is refused. */
  readonly lockTimeoutMs: number;
};

export type Postgres = {
  /** For the statements of this folder, prepared once per connection. */
  readonly pool: Pool;
  /** For rare reads and for seeding, over the same connections. Loaded on first use: the client takes 25 MB and delays a start. */
  readonly prisma: () => Promise<PrismaClient>;
  /** Fails unless Postgres answers and has our tables and the SQL functions of this version. */
  ping(): Promise<void>;
  close(): Promise<void>;
};

const HANG_UP_MARGIN_MS = 500;
const IDLE_MS = 120_000;

/**
 * One pool for prepared statements and for Prisma. The session's time zone is UTC because Prisma's adapter reads and writes
 * times without their offset.
 *
 * @param onLost is called once when an idle connection is lost: queries under way fail by themselves
 * @param onBack is called once when a connection is made after that
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
    // The server ends a slow statement; a server that is frozen or cut off ends nothing, so we hang up a little later.
    query_timeout: settings.statementTimeoutMs + HANG_UP_MARGIN_MS,
    // A connection plans and compiles anew, and a rush should find those of the one before it.
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
