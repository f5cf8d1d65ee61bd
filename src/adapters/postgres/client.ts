import { PrismaPg } from '@prisma/adapter-pg';
import { Pool } from 'pg';
import { PrismaClient } from './generated/client.ts';

export type PostgresSettings = {
  readonly url: string;
  readonly poolMax: number;
  /** How long to wait for a connection before answering `busy`. */
  readonly connectTimeoutMs: number;
  /** A statement that takes longer is ended by the server. */
  readonly statementTimeoutMs: number;
};

export type Postgres = {
  /** For the statements of this folder, prepared once per connection. */
  readonly pool: Pool;
  /** For everything else, over the same connections. */
  readonly prisma: PrismaClient;
  /** Fails unless Postgres answers and has our tables. */
  ping(): Promise<void>;
  close(): Promise<void>;
};

const HANG_UP_MARGIN_MS = 500;

/**
 * One pool for both ways of asking. The session's time zone is UTC because Prisma's adapter reads and writes times
 * without their offset.
 */
export function connectPostgres(settings: PostgresSettings, onError: (error: Error) => void): Postgres {
  const pool = new Pool({
    connectionString: settings.url,
    max: settings.poolMax,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    // The server ends a slow statement; a server that is frozen or cut off ends nothing, so we hang up a little later.
    query_timeout: settings.statementTimeoutMs + HANG_UP_MARGIN_MS,
    keepAlive: true,
    options: `-c TimeZone=UTC -c statement_timeout=${settings.statementTimeoutMs}`,
    application_name: 'frontrow',
  });
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', onError);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    pool,
    prisma,
    async ping() {
      await pool.query('SELECT FROM concerts LIMIT 1');
    },
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
