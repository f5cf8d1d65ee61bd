import { Refusal } from '#domain/errors.ts';
import type { IdempotencyKey } from '#domain/idempotency.ts';
import type { ReservationId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';

/**
 * Decides on a command sent after its session has ended. A command with a stored answer passes: payment ends the
 * session, and its answer may have been lost.
 * - Refuses `already-paid` if the reservation is paid, so that the client does not queue again.
 * - Refuses `session-expired` otherwise.
 */
export async function continueAfterSession(
  { boxOffice }: Pick<Ports, 'boxOffice'>,
  { request, pays }: { readonly request: IdempotencyKey; readonly pays: ReservationId | undefined },
): Promise<void> {
  if (await boxOffice.knows(request)) return;
  const reservation = pays === undefined ? undefined : await boxOffice.findReservation(request.userId, pays);
  throw new Refusal(reservation?.status === 'CONFIRMED' ? 'already-paid' : 'session-expired');
}
