import { connectPostgres, type Postgres, type PostgresSettings } from '#adapters/postgres/client/connect-postgres.ts';

/** Minutes: a test of a timeout sets its own, and holds what the statement needs. */
const TIMEOUT_MS = 60_000;

/** A pool of the service's own kind, whose timeouts no slow machine meets by itself. */
export function openPostgres(url: string, settings: Partial<PostgresSettings> = {}): Postgres {
  const patient = { connectTimeoutMs: TIMEOUT_MS, statementTimeoutMs: TIMEOUT_MS, lockTimeoutMs: TIMEOUT_MS };
  // What is lost between commands is reported by the next command.
  return connectPostgres({ url, poolMax: 10, ...patient, ...settings }, () => {});
}
