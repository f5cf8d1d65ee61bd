import { admissionPolicy } from '#domain/catalog/policy.ts';
import type { Ports } from '#ports/index.ts';
import type { Admission } from '#ports/queue/queue.ts';

/** Admits the next entries of all concerts on sale. Safe in any number of instances at once. */
export async function admitWaiting({
  concerts,
  queue,
}: Pick<Ports, 'concerts' | 'queue'>): Promise<readonly Admission[]> {
  const onSale = await concerts.listOnSale();
  return Promise.all(
    onSale.map(async (concert) => {
      const seatsLeft = await concerts.seatsLeft(concert.concertId);
      return queue.admit(concert.concertId, admissionPolicy(concert, seatsLeft));
    }),
  );
}
