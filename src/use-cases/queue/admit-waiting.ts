import type { Ports } from '#ports/index.ts';
import type { Admission } from '#ports/queue/queue.ts';
import { admitAt } from '#use-cases/steps/admit-at.ts';

/** Admits the next entries of all concerts on sale. Safe in any number of instances at once. */
export async function admitWaiting(ports: Pick<Ports, 'concerts' | 'queue'>): Promise<readonly Admission[]> {
  const onSale = await ports.concerts.listOnSale();
  return Promise.all(onSale.map((concert) => admitAt(ports, concert)));
}
