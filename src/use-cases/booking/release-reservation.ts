import type { ReservationId, UserId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';

/** Gives the seats of a hold back before its deadline. The outbox repeats what could not be told to the marks. */
export async function releaseReservation(
  { boxOffice, seatHolds }: Pick<Ports, 'boxOffice' | 'seatHolds'>,
  input: { readonly userId: UserId; readonly reservationId: ReservationId },
): Promise<void> {
  const hold = await boxOffice.release(input.userId, input.reservationId);
  await Promise.allSettled([seatHolds.release(hold)]);
}
