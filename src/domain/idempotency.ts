import type { UserId } from './ids.ts';

/**
 * Names a command that may be sent again. The same user, key and fingerprint get the first answer again. Another
 * fingerprint under the same key is a client error.
 */
export type IdempotencyKey = {
  readonly userId: UserId;
  readonly key: string;
  /** A digest of the operation and its body. */
  readonly fingerprint: string;
};

/** An answer, and whether it repeats the first one. */
export type Answered<T> = { readonly answer: T; readonly replayed: boolean };
