import { HOLD_KEY_MARGIN_MS, type Reservation, SESSION_MARGIN_MS } from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import type { Answered, IdempotencyKey } from '#domain/idempotency.ts';
import type { ReservationId } from '#domain/ids.ts';
import type { EntryId } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';
import { bestEffort } from '#use-cases/steps/best-effort.ts';

/** Extends a hold as far as the policy allows. Hold keys and session follow; the outbox retries what failed. */
export async function extendHold(
  ports: Pick<Ports, 'concerts' | 'boxOffice' | 'holdKeys' | 'queue' | 'reportError'>,
  input: { readonly entry: EntryId; readonly reservationId: ReservationId; readonly request: IdempotencyKey },
): Promise<Answered<Reservation>> {
  const { concerts, boxOffice, holdKeys, queue } = ports;
  const { entry } = input;
  const concert = await concerts.find(entry.concertId);
  if (concert === undefined) throw new Refusal('concert-not-found');
  const { holdSeconds, holdSecondsMax } = concert.policy;
  const { answer, replayed, remainingMs } = await boxOffice.extend({ ...input, holdSeconds, holdSecondsMax });
  if (!replayed) {
    await bestEffort(
      ports,
      holdKeys.prolong(answer, remainingMs + HOLD_KEY_MARGIN_MS),
      queue.extend(entry, remainingMs + SESSION_MARGIN_MS),
    );
  }
  return { answer, replayed };
}
