// The public events. Times inside `data` are RFC 3339 in UTC with milliseconds.

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

/** The data of each event type. `docs/guide/webhooks.md` has the same as a table. */
type DataByType = {
  'reservation.held': HoldData;
  'reservation.extended': HoldData;
  'reservation.expired': ReservationData;
  'reservation.cancelled': ReservationData;
  'payment.captured': PaymentData;
  'payment.refunded': PaymentData & { readonly refundId: string };
  /** The sequences admitted together, in order of admission. */
  'queue.admitted': { readonly concertId: string; readonly sequences: readonly number[] };
  /** Sent to one endpoint on an operator's request, never to the stream. */
  'webhook.test': { readonly endpointId: string };
};

export type EventType = keyof DataByType;
export type EventData<T extends EventType = EventType> = DataByType[T];

export type PublicEvent = {
  readonly [T in EventType]: {
    readonly eventId: string;
    readonly type: T;
    /** The reservation with its payment, the concert's queue, or the test event itself. */
    readonly aggregateId: string;
    /** 1, 2, 3 … within the aggregate, so that a receiver can order its events and notice that one is missing. */
    readonly aggregateSequence: number;
    readonly at: Date;
    readonly data: DataByType[T];
  };
}[EventType];

/** The types to which an endpoint may subscribe. */
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
 * Stable over repeated deliveries, so that receivers can drop duplicates. Includes the time, as a restored database
 * reuses event ids.
 */
export function messageIdOf({ eventId, at }: Pick<PublicEvent, 'eventId' | 'at'>): string {
  return `evt_${at.getTime()}_${eventId}`;
}

/** The JSON body of an event. */
export function messageOf({ type, at, aggregateId, aggregateSequence, data }: Omit<PublicEvent, 'eventId'>): string {
  return JSON.stringify({ type, timestamp: at.toISOString(), aggregateId, aggregateSequence, data });
}
