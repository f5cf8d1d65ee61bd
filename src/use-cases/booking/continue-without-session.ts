import { Refusal } from '#domain/errors.ts';
import type { IdempotencyKey } from '#domain/idempotency.ts';
import type { ReservationId } from '#domain/ids.ts';
import { type EntryState, requireActive } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';

/**
 * Decides on a command sent without an active session.
 * - A command with a stored answer passes: payment ends the session, and its answer may have been lost.
 * - A command on a hold passes while the user has the hold: it proves an admission that the queue may have forgotten.
 * - Refuses `already-paid` if the reservation is paid, so that the client does not queue again.
 * - Refuses `not-admitted` or `session-expired` otherwise.
 */
export async function continueWithoutSession(
  { boxOffice }: Pick<Ports, 'boxOffice'>,
  {
    state,
    request,
    onHold,
  }: { readonly state: EntryState; readonly request: IdempotencyKey; readonly onHold: ReservationId | undefined },
): Promise<void> {
  if (state.status === 'EXPIRED' && (await boxOffice.knows(request))) return;
  const reservation = onHold === undefined ? undefined : await boxOffice.findReservation(request.userId, onHold);
  if (reservation?.status === 'HELD') return;
  if (reservation?.status === 'CONFIRMED') throw new Refusal('already-paid');
  requireActive(state);
}
