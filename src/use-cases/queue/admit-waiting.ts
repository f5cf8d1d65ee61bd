import { admissionPolicy } from '#domain/catalog/policy.ts';
import type { Ports } from '#ports/index.ts';
import type { Admission } from '#ports/queue/queue.ts';

/** Lets the next people in, at every concert on sale. Any instance may do it at any time, all at once too. */
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
