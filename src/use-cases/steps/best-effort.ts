import { Refusal } from '#domain/errors.ts';
import type { Ports } from '#ports/index.ts';

/**
 * Awaits work that may fail without harm, as a job or the outbox retries it. Refusals are expected; any other error is a
 * bug and is reported.
 */
export async function bestEffort(
  { reportError }: Pick<Ports, 'reportError'>,
  ...work: readonly Promise<unknown>[]
): Promise<void> {
  for (const outcome of await Promise.allSettled(work)) {
    if (outcome.status === 'rejected' && !(outcome.reason instanceof Refusal)) reportError(outcome.reason);
  }
}
