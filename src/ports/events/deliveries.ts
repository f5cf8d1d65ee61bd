import type { PublicEvent } from '#domain/events/public-event.ts';
import type { Attempt, AttemptOutcome, Delivery, DeliveryState, Receipt } from '#domain/events/webhook.ts';
import type { EndpointId } from '#domain/ids.ts';
import type { Page, PageRequest } from '#domain/page.ts';

/** A delivery leased for one attempt. */
export type DueDelivery = {
  readonly deliveryId: string;
  /** From 1. Recording an older attempt has no effect. */
  readonly attempt: number;
  /** From 1, since the last replay. Aborted attempts do not count. */
  readonly tries: number;
  /** By the clock of the store. */
  readonly takenAt: Date;
  readonly url: string;
  /** Two during a rotation. */
  readonly secrets: readonly string[];
  readonly event: PublicEvent;
};

/**
 * The deliveries of events to endpoints, and the log of their attempts. Each delivery is sent and tried by itself, so an
 * endpoint may get the events of one aggregate in any order.
 *
 * Refuses `busy` or `unavailable` when the store is.
 */
export type Deliveries = {
  /** The endpoints with deliveries that are due. */
  listDue(): Promise<readonly EndpointId[]>;

  /** Leases up to `batchMax` due deliveries of an endpoint, for a minute. */
  take(endpointId: EndpointId, batchMax: number): Promise<readonly DueDelivery[]>;

  /**
   * Records how an attempt ended, and its outcome. Ignores a stale attempt. Disables an endpoint that is gone; if its
   * URL has changed since, the delivery is due at once instead.
   */
  recordAttempt(delivery: DueDelivery, receipt: Receipt, outcome: AttemptOutcome): Promise<void>;

  /** Ends the lease of an aborted attempt: the delivery is due at once. Ignores a stale attempt. */
  release(delivery: DueDelivery): Promise<void>;

  /** Sends an event of type `webhook.test`. Returns undefined for an unknown endpoint. */
  test(endpointId: EndpointId): Promise<Delivery | undefined>;

  /**
   * Sends a delivery again, whether it was delivered or has failed. Refuses `delivery-not-found`, `delivery-pending`.
   */
  replay(endpointId: EndpointId, deliveryId: string): Promise<Delivery>;

  /** Sends up to `batchMax` deliveries again that failed since this time, oldest events first. Returns the count. */
  replayFailed(endpointId: EndpointId, since: Date, batchMax: number): Promise<number>;

  find(
    endpointId: EndpointId,
    deliveryId: string,
  ): Promise<{ readonly delivery: Delivery; readonly attemptLog: readonly Attempt[] } | undefined>;

  /** Newest first. */
  list(endpointId: EndpointId, page: PageRequest, state?: DeliveryState): Promise<Page<Delivery>>;
};
