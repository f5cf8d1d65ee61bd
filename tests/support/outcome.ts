import { Refusal } from '#domain/errors.ts';

/** What came of a command: the code of its refusal, or `done`. Anything else that went wrong fails the test. */
export async function outcomeOf(command: Promise<unknown>): Promise<string> {
  try {
    await command;
    return 'done';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

/** How often each thing happened: `{ done: 1, 'seat-taken': 299 }`. */
export function countOf(outcomes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}
