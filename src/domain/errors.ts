import type { Money } from './wallet/money.ts';

/**
 * All refusals, with the facts in their answers. A new code does not compile until `adapters/http/problems.ts` gives it
 * a status and a title, and a test fails until `docs/reference/errors.md` explains it.
 */
type FactsByCode = {
  'validation-failed': { errors: readonly { path: string; message: string }[] };
  'amount-out-of-range': { min: Money; max: Money };
  'idempotency-key-missing': undefined;
  'webhook-url-refused': { reason: string };
  unauthenticated: undefined;
  'queue-token-missing': undefined;
  'queue-token-invalid': undefined;
  'insufficient-balance': { required: Money; balance: Money };
  forbidden: undefined;
  'not-admitted': { position?: number };
  'session-expired': undefined;
  'challenge-required': { reason: 'missing' | 'invalid' | 'expired' };
  'join-refused': undefined;
  'sales-not-open': { opensAt: Date };
  'sales-closed': undefined;
  'refund-closed': undefined;
  'route-not-found': undefined;
  'concert-not-found': undefined;
  'date-not-found': undefined;
  'seat-plan-not-found': undefined;
  'seat-not-found': { seatNumbers: readonly number[] };
  'reservation-not-found': undefined;
  'payment-not-found': undefined;
  'user-not-found': undefined;
  'webhook-not-found': undefined;
  'delivery-not-found': undefined;
  'seat-taken': { seatNumbers: readonly number[] };
  /** Seats left that match the wish, adjacent or not. */
  'no-adjacent-seats': { quantity: number; left: number };
  /** The orphan seats. */
  'seat-stranded': { seatNumbers: readonly number[] };
  'seat-limit-reached': { limit: number; held: number };
  'hold-limit-reached': { limit: number; withinSeconds: number };
  'already-paid': undefined;
  'already-cancelled': undefined;
  'reservation-not-held': undefined;
  'hold-at-ceiling': undefined;
  'webhook-limit-reached': { limit: number };
  'delivery-pending': undefined;
  'idempotency-key-in-use': undefined;
  'hold-expired': undefined;
  'body-too-large': undefined;
  'media-type-unsupported': undefined;
  'idempotency-key-reused': undefined;
  'rate-limited': { retryAfterSeconds: number };
  'queue-full': { retryAfterSeconds: number };
  busy: { retryAfterSeconds: number; detail?: string };
  unavailable: { retryAfterSeconds: number };
  internal: undefined;
};

export type Code = keyof FactsByCode;
export type Facts<C extends Code> = FactsByCode[C];

/**
 * An expected refusal. Thrown, so that no caller can overlook it, and answered as a problem document. Our own bugs are
 * `RangeError` or any other error, and are answered as `internal`.
 */
export class Refusal<C extends Code = Code> extends Error {
  readonly code: C;
  readonly facts: Facts<C>;

  constructor(code: C, ...[facts]: Facts<C> extends undefined ? [] : [facts: Facts<C>]) {
    // Capturing a stack costs time, and a crowd is refused thousands of times a second. `refusalBecause` captures one
    // for operators.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(code);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'Refusal';
    this.code = code;
    this.facts = facts as Facts<C>;
  }
}

/** A refusal caused by a failing store, with cause and stack for the log. */
export function refusalBecause(cause: unknown, code: 'unavailable' | 'busy', retryAfterSeconds: number): Refusal {
  const refusal = Object.assign(new Refusal(code, { retryAfterSeconds }), { cause });
  Error.captureStackTrace(refusal, refusalBecause);
  return refusal;
}
