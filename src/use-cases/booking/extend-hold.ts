import { MARK_MARGIN_MS, type Reservation, SESSION_MARGIN_MS } from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import type { Answered, RequestKey } from '#domain/idempotency.ts';
import type { ReservationId } from '#domain/ids.ts';
import type { PlaceId } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';

/**
 * Makes a hold last longer for a fan who is in, as far as the policy lets it. Marks and session follow; the outbox repeats
 * what they could not be told.
 */
export async function extendHold(
  { concerts, boxOffice, seatHolds, waitingRoom }: Pick<Ports, 'concerts' | 'boxOffice' | 'seatHolds' | 'waitingRoom'>,
  input: { readonly place: PlaceId; readonly reservationId: ReservationId; readonly request: RequestKey },
): Promise<Answered<Reservation>> {
  const { place } = input;
  const concert = await concerts.find(place.concertId);
  if (concert === undefined) throw new Refusal('concert-not-found');
  const { holdSeconds, holdSecondsMax } = concert.policy;
  const { answer, replayed, remainingMs } = await boxOffice.extend({ ...input, holdSeconds, holdSecondsMax });
  if (!replayed) {
    await Promise.allSettled([
      seatHolds.prolong(answer, remainingMs + MARK_MARGIN_MS),
      waitingRoom.extend(place, remainingMs + SESSION_MARGIN_MS),
    ]);
  }
  return { answer, replayed };
}
