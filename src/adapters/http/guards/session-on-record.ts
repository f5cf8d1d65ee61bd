import { rememberLast } from '#adapters/http/queue/remember-last.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';
import type { SessionOnRecord } from '#ports/queue/queue-records.ts';

/**
 * One look at the record in that time, however often somebody asks. Who pays or leaves meanwhile may read on for as long; past
 * the end of the session that was found there, nobody.
 */
const REMEMBERED_MS = 5_000;
/** About 6 megabytes. Whoever is more is looked up more often. */
const REMEMBERED_MAX = 20_000;

type Look = { until: number; readonly isIn: Promise<boolean> };

/**
 * Says whether a place is on record as being in, for when the line itself cannot be asked. Who is not is remembered as well:
 * signed tokens cannot be made up, and those who wait ask as often as those who are in.
 */
export function sessionOnRecord(
  { queueRecords, concerts }: Pick<Ports, 'queueRecords' | 'concerts'>,
  now = () => performance.now(),
): (entry: QueueEntry) => Promise<boolean> {
  const looks = rememberLast<Look>(REMEMBERED_MAX);

  async function look(entry: QueueEntry): Promise<SessionOnRecord | undefined> {
    const concert = await concerts.find(entry.concertId);
    return concert === undefined ? undefined : queueRecords.findSession(entry, concert.policy.sessionSeconds);
  }

  return (entry) => {
    const key = `${entry.concertId} ${entry.userId} ${entry.sequence} ${entry.epoch}`;
    const known = looks.recall(key);
    if (known !== undefined && now() < known.until) return known.isIn;
    const askedAt = now();
    const session = look(entry);
    const isIn = session.then((found) => found !== undefined);
    const made: Look = { until: askedAt + REMEMBERED_MS, isIn };
    looks.remember(key, made);
    session.then(
      (found) => {
        if (found !== undefined) made.until = askedAt + Math.min(REMEMBERED_MS, found.remainingMs);
      },
      // What failed says nothing. Whom that concerns waits for it.
      () => {
        made.until = askedAt;
      },
    );
    return isIn;
  };
}
