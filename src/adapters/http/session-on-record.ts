import type { QueueClaim } from '#domain/queue.ts';
import type { Ports } from '#ports/index.ts';
import { rememberLast } from './remember-last.ts';

/** So much longer than their session somebody may read, for one look at the record in that time however often they ask. */
const REMEMBERED_MS = 5_000;
/** About 6 megabytes. Whoever is more is looked up more often. */
const REMEMBERED_MAX = 20_000;

type Look = { readonly until: number; readonly isIn: Promise<boolean> };

/**
 * Says whether a place is on record as being in, for when the line itself cannot be asked. Who is not is remembered as well:
 * signed tokens cannot be made up, and those who wait ask as often as those who are in.
 */
export function sessionOnRecord(
  { lines, concerts }: Pick<Ports, 'lines' | 'concerts'>,
  now = () => performance.now(),
): (claim: QueueClaim) => Promise<boolean> {
  const looks = rememberLast<Look>(REMEMBERED_MAX);

  async function look(claim: QueueClaim): Promise<boolean> {
    const concert = await concerts.find(claim.concertId);
    if (concert === undefined) return false;
    return (await lines.findSession(claim, concert.policy.sessionSeconds)) !== undefined;
  }

  return (claim) => {
    const key = `${claim.concertId} ${claim.userId} ${claim.sequence} ${claim.epoch}`;
    const known = looks.recall(key);
    if (known !== undefined && now() < known.until) return known.isIn;
    const isIn = look(claim);
    looks.remember(key, { until: now() + REMEMBERED_MS, isIn });
    // What failed says nothing. Whom that concerns waits for it.
    isIn.catch(() => looks.remember(key, { until: 0, isIn }));
    return isIn;
  };
}
