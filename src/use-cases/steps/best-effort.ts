import type { Ports } from '#ports/index.ts';
import { reportBug } from './report-bug.ts';

/** Awaits work that may fail without harm, as a job or the outbox retries it. Bugs are reported. */
export async function bestEffort(
  ports: Pick<Ports, 'reportError'>,
  ...work: readonly Promise<unknown>[]
): Promise<void> {
  for (const outcome of await Promise.allSettled(work)) {
    if (outcome.status === 'rejected') reportBug(ports, outcome.reason);
  }
}
