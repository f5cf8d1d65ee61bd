/** A reason why the process cannot start, with a remedy. Print its message without a stack and exit with 1. */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}
