import type { Concert } from '#domain/catalog/concert.ts';
import type { PolicyChange } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';
import { admitAt } from '#use-cases/steps/admit-at.ts';
import { bestEffort } from '#use-cases/steps/best-effort.ts';

type Needed = Pick<Ports, 'concerts' | 'queue' | 'reportError'>;

/** Changes the policy of a concert while it runs, and admits entries by the new one. */
export async function changePolicy(
  ports: Needed,
  input: { readonly concertId: ConcertId; readonly change: PolicyChange },
): Promise<Concert> {
  const concert = await ports.concerts.changePolicy(input.concertId, input.change);
  if (concert === undefined) throw new Refusal('concert-not-found');
  // By the changed policy: cached concerts may be older.
  await bestEffort(ports, admitAt(ports, concert));
  return concert;
}
