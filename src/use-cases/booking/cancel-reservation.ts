import type { Cancellation } from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import type { Answered, IdempotencyKey } from '#domain/idempotency.ts';
import { type ReservationId, refundId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';
import { bestEffort } from '#use-cases/steps/best-effort.ts';

/**
 * Cancels a reservation: frees its seats and, if it was paid, refunds the price while the policy allows it. The box
 * office does this in one step, without Redis. The outbox deletes hold keys that could not be deleted here.
 */
export async function cancelReservation(
  ports: Pick<Ports, 'concerts' | 'boxOffice' | 'holdKeys' | 'newId' | 'reportError'>,
  input: { readonly reservationId: ReservationId; readonly request: IdempotencyKey },
): Promise<Answered<Cancellation>> {
  const { concerts, boxOffice, holdKeys, newId } = ports;
  const reservation = await boxOffice.findReservation(input.request.userId, input.reservationId);
  if (reservation === undefined) throw new Refusal('reservation-not-found');
  const concert = await concerts.find(reservation.concertId);
  if (concert === undefined) throw new Refusal('concert-not-found');
  const { refundUntilSeconds } = concert.policy;
  const cancelled = await boxOffice.cancel({ ...input, refundId: refundId(newId()), refundUntilSeconds });
  if (!cancelled.replayed) await bestEffort(ports, holdKeys.release(cancelled.answer.reservation));
  return cancelled;
}
