import type { Pool } from 'pg';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import type { Violation } from './audit-books.ts';
import { auditFreeMarks } from './audit-free-hold-keys.ts';
import { auditHeldMarks } from './audit-held-hold-keys.ts';

export type MarksAudit = {
  /** How many held seats were compared with their marks. */
  readonly compared: number;
  /** How many free seats were found to have none, or not for long. */
  readonly free: number;
  /** Empty if all is right. */
  readonly violations: readonly Violation[];
};

/**
 * Compares the marks of all seats with what Postgres says, of dates that are still to come. No mark lets anybody have a seat
 * that is not theirs; but a wrong one lets the crowd through to Postgres, or keeps people off who could have had the seat.
 */
export async function auditMarks(pool: Pool, redis: RedisClient): Promise<MarksAudit> {
  const held = await auditHeldMarks(pool, redis);
  const free = await auditFreeMarks(pool, redis);
  return { compared: held.compared, free: free.compared, violations: [...held.violations, ...free.violations] };
}
