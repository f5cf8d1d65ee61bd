import type { Ports } from '#ports/index.ts';
import type { Admission } from '#ports/queue/queue.ts';
import { admitAt } from '#use-cases/steps/admit-at.ts';

/**
 * Admits the next entries of all concerts. Safe in any number of instances at once. Fails if no concert could be
 * served: a failure at one must not slow down the others.
 */
export async function admitWaiting(ports: Pick<Ports, 'concerts' | 'queue'>): Promise<readonly Admission[]> {
  const served = await ports.concerts.listServed();
  const outcomes = await Promise.allSettled(served.map((concert) => admitAt(ports, concert)));
  const admissions = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined && admissions.length === 0) throw failed.reason;
  return admissions;
}
