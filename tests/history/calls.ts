/** What a client asked of the service. Amounts are what the client knows them to be. */
export type Asked =
  | { readonly what: 'reserve'; readonly seatNumbers: readonly number[] }
  | { readonly what: 'extend' | 'release'; readonly reservation: Known }
  | { readonly what: 'pay' | 'cancel'; readonly reservation: Known }
  | { readonly what: 'charge'; readonly amount: number }
  | { readonly what: 'seats' | 'balance' | 'payments' | 'reservations' };

/** A reservation as its owner knows it. */
export type Known = {
  readonly reservationId: string;
  readonly seatNumbers: readonly number[];
  readonly amount: number;
};

/** What an answer says, as far as a history needs it. */
export type Said = {
  readonly reservationId?: string;
  readonly paymentId?: string;
  readonly chargeId?: string;
  readonly refundId?: string;
  readonly seatNumber?: number;
  readonly seatNumbers?: readonly number[];
  readonly status?: string;
  readonly amount?: number;
  readonly balance?: number;
  readonly required?: number;
  readonly createdAt?: string;
  readonly heldUntil?: string;
  readonly refundedAt?: string;
  readonly refund?: Said;
  readonly items?: readonly Said[];
};

/**
 * How a call ended. `unclear`: with a server error, a broken connection, or not in time, so that nobody knows whether it was
 * carried out, or will be.
 */
export type Ending =
  | { readonly kind: 'done'; readonly said: Said }
  | { readonly kind: 'refused'; readonly code: string; readonly said: Said }
  | { readonly kind: 'unclear' };

/** One call of one client. All times of a history are those of one monotonic clock. */
export type Call = {
  readonly userId: string;
  /** Calls of a user under the same key are one command, which happens once. */
  readonly key?: string;
  readonly asked: Asked;
  readonly startMs: number;
  readonly endMs: number;
  readonly ending: Ending;
};

/** What is known about the place where it happened. */
export type Rules = {
  /** How long a seat is held at least. */
  readonly holdMs: number;
};
