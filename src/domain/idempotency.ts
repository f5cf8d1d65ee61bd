import type { UserId } from './ids.ts';

/**
 * A command that may be sent again: the same user, key and fingerprint mean the same command, whose first answer is
 * given again. Another fingerprint under the same key is a mistake of the client.
 */
export type RequestKey = {
  readonly userId: UserId;
  readonly key: string;
  /** A digest of what was asked: the operation and its body. */
  readonly fingerprint: string;
};

/** An answer, and whether it is the first answer given again. */
export type Answered<T> = { readonly answer: T; readonly replayed: boolean };
