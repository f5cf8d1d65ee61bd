/**
 * Something about this machine that the person at the keyboard can put right. The message is the whole story, ways out
 * included: print it and exit 1, without a stack trace.
 */
export class LocalProblem extends Error {
  override readonly name = 'LocalProblem';
}
