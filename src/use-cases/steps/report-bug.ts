import { Refusal } from '#domain/errors.ts';
import type { Ports } from '#ports/index.ts';

/** Reports a failure of work that may fail without harm. Refusals are expected; any other error is a bug. */
export function reportBug({ reportError }: Pick<Ports, 'reportError'>, failure: unknown): void {
  if (!(failure instanceof Refusal)) reportError(failure);
}
