import { hash } from 'node:crypto';

type Challenge = { readonly challenge: string; readonly maxnumber: number; readonly salt: string };

/** The solution of a challenge in ALTCHA's format, encoded as its widget does: written apart from what verifies. */
export function solutionOf({ maxnumber, ...challenge }: Challenge, change: object = {}): string {
  let number = 0;
  while (hash('sha256', `${challenge.salt}${number}`) !== challenge.challenge) {
    if (number > maxnumber) throw new RangeError('no number solves this challenge');
    number += 1;
  }
  return encoded({ ...challenge, number, ...change });
}

export const encoded = (solution: object) => Buffer.from(JSON.stringify(solution)).toString('base64');
