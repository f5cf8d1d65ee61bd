import { Refusal } from '#domain/errors.ts';
import type { RequestKey } from '#domain/idempotency.ts';
import type { ReservationId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';

/**
 * Decides on a command that comes after its session has ended. A command that has its answer passes, to be given it again:
 * paying ends the session, and the answer may have been lost. Refuses `already-paid` if the reservation that it pays is
 * paid, so that the client is not sent back into the queue; refuses `session-expired` otherwise.
 */
export async function continueAfterSession(
  { boxOffice }: Pick<Ports, 'boxOffice'>,
  { request, pays }: { readonly request: RequestKey; readonly pays: ReservationId | undefined },
): Promise<void> {
  if (await boxOffice.knows(request)) return;
  const reservation = pays === undefined ? undefined : await boxOffice.findReservation(request.userId, pays);
  throw new Refusal(reservation?.status === 'CONFIRMED' ? 'already-paid' : 'session-expired');
}
