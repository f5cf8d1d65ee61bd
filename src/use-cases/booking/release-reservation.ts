import type { ReservationId, UserId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';
import { bestEffort } from '#use-cases/steps/best-effort.ts';

/** Releases the seats of a hold before its deadline. The outbox deletes hold keys that could not be deleted here. */
export async function releaseReservation(
  ports: Pick<Ports, 'boxOffice' | 'holdKeys' | 'reportError'>,
  input: { readonly userId: UserId; readonly reservationId: ReservationId },
): Promise<void> {
  const hold = await ports.boxOffice.release(input.userId, input.reservationId);
  await bestEffort(ports, ports.holdKeys.release(hold));
}
