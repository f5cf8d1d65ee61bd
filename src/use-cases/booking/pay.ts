import type { Payment } from '#domain/booking/reservation.ts';
import type { Answered, IdempotencyKey } from '#domain/idempotency.ts';
import { paymentId, type ReservationId } from '#domain/ids.ts';
import type { EntryId } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';
import { admitNext } from '#use-cases/steps/admit-next.ts';
import { bestEffort } from '#use-cases/steps/best-effort.ts';

type Needed = Pick<Ports, 'boxOffice' | 'concerts' | 'queue' | 'holdKeys' | 'newId' | 'reportError'>;

/**
 * Pays a reservation from the user's balance and sells the seats to them. The box office does this in one step, without
 * Redis. Then the session ends, the next entry is admitted and the hold keys are deleted; the outbox retries what
 * failed.
 */
export async function pay(
  ports: Needed,
  input: { readonly entry: EntryId; readonly reservationId: ReservationId; readonly request: IdempotencyKey },
): Promise<Answered<Payment>> {
  const { entry } = input;
  const { answer, replayed, hold } = await ports.boxOffice.pay({ ...input, paymentId: paymentId(ports.newId()) });
  // A repeated payment may come in a later session of the user, which must go on.
  if (!replayed) await bestEffort(ports, endSession(ports, entry), ports.holdKeys.release(hold));
  return { answer, replayed };
}

async function endSession(ports: Needed, entry: EntryId): Promise<void> {
  await ports.queue.leave(entry);
  await admitNext(ports, entry.concertId);
}
