import type { Concert } from '#domain/catalog/concert.ts';
import { admissionPolicy } from '#domain/catalog/policy.ts';
import type { Ports } from '#ports/index.ts';
import type { Admission } from '#ports/queue/queue.ts';

/** Admits the next entries at a concert, as its policy and the seats left allow. */
export async function admitAt(
  { concerts, queue }: Pick<Ports, 'concerts' | 'queue'>,
  concert: Concert,
): Promise<Admission> {
  const seatsLeft = await concerts.seatsLeft(concert.concertId);
  return queue.admit(concert.concertId, admissionPolicy(concert, seatsLeft));
}
