import { StartError } from '#config/start-error.ts';

/** A problem of this machine that its user can fix. */
export class LocalProblem extends StartError {
  override readonly name = 'LocalProblem';
}
