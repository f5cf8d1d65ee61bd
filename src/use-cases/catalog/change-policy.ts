import type { Concert } from '#domain/catalog/concert.ts';
import { admissionPolicy, type PolicyChange } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';

/** Changes how a line is let in, while it runs, and lets in whoever may come in by the new policy. */
export async function changePolicy(
  { concerts, waitingRoom }: Pick<Ports, 'concerts' | 'waitingRoom'>,
  input: { readonly concertId: ConcertId; readonly change: PolicyChange },
): Promise<Concert> {
  const concert = await concerts.changePolicy(input.concertId, input.change);
  if (concert === undefined) throw new Refusal('concert-not-found');
  // What fails here comes with the next tick of any instance.
  await Promise.allSettled([admit(concert)]);
  return concert;

  async function admit(changed: Concert) {
    const seatsLeft = await concerts.seatsLeft(changed.concertId);
    await waitingRoom.admit(changed.concertId, admissionPolicy(changed, seatsLeft));
  }
}
