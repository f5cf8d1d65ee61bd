import type { Cancellation } from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import type { Answered, RequestKey } from '#domain/idempotency.ts';
import { type ReservationId, refundId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';

/**
 * Gives a reservation up: of one that is held the seats, of one that is paid the seats for their price, as long as the
 * policy lets it. That is one step of the box office, with no Redis in it. The outbox repeats what the marks could not
 * be told.
 */
export async function cancelReservation(
  { concerts, boxOffice, seatHolds, newId }: Pick<Ports, 'concerts' | 'boxOffice' | 'seatHolds' | 'newId'>,
  input: { readonly reservationId: ReservationId; readonly request: RequestKey },
): Promise<Answered<Cancellation>> {
  const reservation = await boxOffice.findReservation(input.request.userId, input.reservationId);
  if (reservation === undefined) throw new Refusal('reservation-not-found');
  const concert = await concerts.find(reservation.concertId);
  if (concert === undefined) throw new Refusal('concert-not-found');
  const { refundUntilSeconds } = concert.policy;
  const cancelled = await boxOffice.cancel({ ...input, refundId: refundId(newId()), refundUntilSeconds });
  if (!cancelled.replayed) await Promise.allSettled([seatHolds.release(cancelled.answer.reservation)]);
  return cancelled;
}
