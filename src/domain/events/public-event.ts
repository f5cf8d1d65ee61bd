// What other services are told of. Times inside `data` are written as they are told, RFC 3339 in UTC with milliseconds.

type ReservationData = {
  readonly reservationId: string;
  readonly userId: string;
  readonly concertId: string;
  readonly date: string;
  /** Ascending. */
  readonly seatNumbers: readonly number[];
  readonly amount: number;
  readonly currency: string;
};
type HoldData = ReservationData & { readonly heldUntil: string };
type PaymentData = ReservationData & { readonly paymentId: string };

/** What each type of event carries. `docs/webhooks.md` has the same as a table. */
type DataByType = {
  'reservation.held': HoldData;
  'reservation.extended': HoldData;
  'reservation.expired': ReservationData;
  'reservation.cancelled': ReservationData;
  'payment.captured': PaymentData;
  'payment.refunded': PaymentData & { readonly refundId: string };
  /** The numbers of those who were let in, in the order in which they were. */
  'queue.admitted': { readonly concertId: string; readonly sequences: readonly number[] };
  /** Sent to one endpoint by an operator's call, and told to nobody else. */
  'webhook.test': { readonly endpointId: string };
};

export type EventType = keyof DataByType;
export type EventData<T extends EventType = EventType> = DataByType[T];

export type PublicEvent = {
  readonly [T in EventType]: {
    /** A number that ascends, within an aggregate, in the order in which things happened. */
    readonly eventId: string;
    readonly type: T;
    /** Whose story it belongs to: a reservation with its payment, a concert's line, a test alone. */
    readonly aggregateId: string;
    readonly at: Date;
    readonly data: DataByType[T];
  };
}[EventType];

/** The types that an endpoint may ask for. */
export const eventTypes = [
  'reservation.held',
  'reservation.extended',
  'reservation.expired',
  'reservation.cancelled',
  'payment.captured',
  'payment.refunded',
  'queue.admitted',
] as const satisfies readonly EventType[];
export type OfferedEventType = (typeof eventTypes)[number];

/**
 * The same however often an event is told, so that a repetition can be dropped. With the time, because a database that was
 * restored gives numbers anew.
 */
export function messageIdOf({ eventId, at }: Pick<PublicEvent, 'eventId' | 'at'>): string {
  return `evt_${at.getTime()}_${eventId}`;
}

/** An event as it is sent, in JSON. */
export function messageOf({ type, at, data }: Pick<PublicEvent, 'type' | 'at' | 'data'>): string {
  return JSON.stringify({ type, timestamp: at.toISOString(), data });
}
