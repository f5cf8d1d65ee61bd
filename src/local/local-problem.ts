import { StartError } from '#config/start-error.ts';

/** Something about this machine that the person at the keyboard can put right. */
export class LocalProblem extends StartError {
  override readonly name = 'LocalProblem';
}
