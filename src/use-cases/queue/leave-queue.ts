import { Refusal } from '#domain/errors.ts';
import type { EntryId, QueueEntry } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';
import { admitNext } from '#use-cases/steps/admit-next.ts';
import { bestEffort } from '#use-cases/steps/best-effort.ts';

/** Exceeds the holds of any user. Further ones expire. */
const HOLDS_MAX = 100;

type Needed = Pick<Ports, 'concerts' | 'queue' | 'boxOffice' | 'holdKeys' | 'reportError'>;

/**
 * Removes a queue entry, waiting or active, and admits the next one. An active user's holds are released as well: without a
 * session they cannot be paid, and others want the seats.
 */
export async function leaveQueue(ports: Needed, entry: QueueEntry): Promise<void> {
  const { concerts, queue } = ports;
  const { concertId } = entry;
  if ((await concerts.find(concertId)) === undefined) throw new Refusal('concert-not-found');
  // A repeated call does not release the holds of a later session.
  const { status } = await queue.find(entry);
  await queue.leave(entry);
  await bestEffort(ports, admitNext(ports, concertId));
  // Not awaited: the queue does not need Postgres, and a hold that is not released expires.
  if (status === 'ACTIVE') void bestEffort(ports, releaseHolds(ports, entry));
}

async function releaseHolds(ports: Needed, { userId, concertId }: EntryId): Promise<void> {
  const { boxOffice, holdKeys } = ports;
  const { items } = await boxOffice.listReservations(userId, { limit: HOLDS_MAX });
  const held = items.filter((reservation) => reservation.concertId === concertId && reservation.status === 'HELD');
  await bestEffort(
    ports,
    ...held.map(async ({ reservationId }) => holdKeys.release(await boxOffice.release(userId, reservationId))),
  );
}
