import type { Payment } from '#domain/booking/reservation.ts';
import { admissionPolicy } from '#domain/catalog/policy.ts';
import type { Answered, RequestKey } from '#domain/idempotency.ts';
import { paymentId, type ReservationId } from '#domain/ids.ts';
import type { PlaceId } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';

/**
 * Pays a reservation from the user's balance; the seats are theirs. That is one step of the box office, with no Redis in
 * it. Then the session ends, the next one is let in and the marks are freed; the outbox repeats what of that failed.
 */
export async function pay(
  {
    boxOffice,
    concerts,
    waitingRoom,
    seatHolds,
    newId,
  }: Pick<Ports, 'boxOffice' | 'concerts' | 'waitingRoom' | 'seatHolds' | 'newId'>,
  input: { readonly place: PlaceId; readonly reservationId: ReservationId; readonly request: RequestKey },
): Promise<Answered<Payment>> {
  const { place, reservationId, request } = input;
  const { answer, replayed, hold } = await boxOffice.pay({
    paymentId: paymentId(newId()),
    reservationId,
    place,
    request,
  });
  // A replay may come in a later session of the same fan, which it must not end.
  if (!replayed) await Promise.allSettled([makeRoom(), seatHolds.release(hold)]);
  return { answer, replayed };

  async function makeRoom() {
    const { concertId } = place;
    await waitingRoom.leave(place);
    const [concert, seatsLeft] = await Promise.all([concerts.find(concertId), concerts.seatsLeft(concertId)]);
    if (concert !== undefined) await waitingRoom.admit(concertId, admissionPolicy(concert, seatsLeft));
  }
}
