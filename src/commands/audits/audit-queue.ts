import type { Pool } from 'pg';
import type { ConcertId } from '#domain/ids.ts';
import { type QueueAudit, queueAuditor } from './queue-auditor.ts';
import { readEvents } from './read-events.ts';

/** Audits the fairness of a queue by its record. */
export async function auditQueue(pool: Pool, concertId: ConcertId): Promise<QueueAudit> {
  const auditor = queueAuditor();
  for await (const events of readEvents(pool, concertId)) for (const event of events) auditor.add(event);
  return auditor.result();
}
