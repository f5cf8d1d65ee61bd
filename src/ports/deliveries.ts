import type { EndpointId } from '#domain/ids.ts';
import type { Page, PageRequest } from '#domain/page.ts';
import type { PublicEvent } from '#domain/public-event.ts';
import type { Attempt, Delivery, DeliveryState, Receipt, Verdict } from '#domain/webhook.ts';

/** A delivery to be attempted now, by whoever took it. */
export type Parcel = {
  readonly deliveryId: string;
  /** From 1: who holds an older one has lost the delivery. */
  readonly attempt: number;
  /** How often it was tried since it was last replayed, this time included. */
  readonly tries: number;
  /** By the clock of the store. */
  readonly takenAt: Date;
  readonly url: string;
  /** One, or two while they are changed. */
  readonly secrets: readonly string[];
  readonly event: PublicEvent;
};

/**
 * Events on their way to endpoints, and the log of what became of them. Those of one aggregate go to an endpoint one after
 * the other: a later one waits until the one before it has arrived or is given up.
 *
 * Refuses `busy` or `unavailable` when the store is.
 */
export type Deliveries = {
  /** The endpoints for which something is due. */
  listDue(): Promise<readonly EndpointId[]>;

  /** Up to `batchMax` of an endpoint that are due and that nobody else attempts for the next minute. */
  take(endpointId: EndpointId, batchMax: number): Promise<readonly Parcel[]>;

  /**
   * Writes down how an attempt ended and what follows. Nothing follows of an attempt that is not the last one taken.
   * An endpoint that is gone is switched off.
   */
  settle(parcel: Parcel, receipt: Receipt, verdict: Verdict): Promise<void>;

  /** Sends an event of its own, of type `webhook.test`. Undefined if there is no such endpoint. */
  test(endpointId: EndpointId): Promise<Delivery | undefined>;

  /** Sends one again, whether it arrived or was given up. Refuses `delivery-not-found`, `delivery-pending`. */
  replay(endpointId: EndpointId, deliveryId: string): Promise<Delivery>;

  /** Sends up to `batchMax` again that were given up since then, the oldest events first. Answers how many. */
  replayFailed(endpointId: EndpointId, since: Date, batchMax: number): Promise<number>;

  find(
    endpointId: EndpointId,
    deliveryId: string,
  ): Promise<{ readonly delivery: Delivery; readonly attemptLog: readonly Attempt[] } | undefined>;

  /** Newest first. */
  list(endpointId: EndpointId, page: PageRequest, state?: DeliveryState): Promise<Page<Delivery>>;
};
