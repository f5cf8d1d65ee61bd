import type { ConcertId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';
import { admitAt } from './admit-at.ts';

/** Admits the next entries at one concert. */
export async function admitNext(ports: Pick<Ports, 'concerts' | 'queue'>, concertId: ConcertId): Promise<void> {
  const concert = await ports.concerts.findToAdmit(concertId);
  if (concert !== undefined) await admitAt(ports, concert);
}
