/** Why the process cannot start, in words for its operator, ways out included: print the message without a stack, exit 1. */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}
