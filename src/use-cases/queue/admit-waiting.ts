import type { Ports } from '#ports/index.ts';
import type { Admission } from '#ports/queue/queue.ts';
import { admitAt } from '#use-cases/steps/admit-at.ts';
import { reportBug } from '#use-cases/steps/report-bug.ts';

/**
 * Admits the next entries of all concerts. Safe in any number of instances at once. Fails only if no concert could be
 * served: the job's back-off after a failure at one would make time stand still for the others.
 */
export async function admitWaiting(
  ports: Pick<Ports, 'concerts' | 'queue' | 'reportError'>,
): Promise<readonly Admission[]> {
  const served = await ports.concerts.listServed();
  const outcomes = await Promise.allSettled(served.map((concert) => admitAt(ports, concert)));
  const admissions = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const [first, ...others] = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (first === undefined) return admissions;
  if (admissions.length === 0) throw first;
  for (const failure of [first, ...others]) reportBug(ports, failure);
  return admissions;
}
