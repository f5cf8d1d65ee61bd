import { ttlCache } from '#adapters/memory/ttl-cache.ts';
import type { EntryId } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';
import type { SessionOnRecord } from '#ports/queue/queue-records.ts';

/** A session that ends early on record passes for this long; never longer than the session lasts. */
const TTL_MS = 5_000;
/** About 6 megabytes. Beyond this size, entries are evicted. */
const ENTRIES_MAX = 20_000;

/**
 * Says whether a queue entry has a session on record, for while Redis is unavailable. The answer is cached either way:
 * those who wait ask as often as those with a session.
 */
export function sessionOnRecord(
  { queueRecords, concerts }: Pick<Ports, 'queueRecords' | 'concerts'>,
  now = () => performance.now(),
): (entry: EntryId) => Promise<boolean> {
  const cache = ttlCache<SessionOnRecord | undefined>(
    (key) => find(JSON.parse(key) as EntryId),
    { ttlMs: TTL_MS, entriesMax: ENTRIES_MAX, ttlMsOf: (session) => session?.remainingMs ?? TTL_MS },
    now,
  );

  async function find(entry: EntryId): Promise<SessionOnRecord | undefined> {
    const concert = await concerts.find(entry.concertId);
    return concert === undefined ? undefined : queueRecords.findSession(entry, concert.policy.sessionSeconds);
  }

  return async ({ userId, concertId, sequence, epoch }) =>
    (await cache(JSON.stringify({ userId, concertId, sequence, epoch }))) !== undefined;
}
