import { admissionPolicy } from '#domain/catalog/policy.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';

/** Admits the next entries at a concert, as its policy and the seats left allow. */
export async function admitNext(
  { concerts, queue }: Pick<Ports, 'concerts' | 'queue'>,
  concertId: ConcertId,
): Promise<void> {
  const [concert, seatsLeft] = await Promise.all([concerts.find(concertId), concerts.seatsLeft(concertId)]);
  if (concert !== undefined) await queue.admit(concertId, admissionPolicy(concert, seatsLeft));
}
