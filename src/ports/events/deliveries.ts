import type { PublicEvent } from '#domain/events/public-event.ts';
import type { Attempt, AttemptOutcome, Delivery, DeliveryState, Receipt } from '#domain/events/webhook.ts';
import type { EndpointId } from '#domain/ids.ts';
import type { Page, PageRequest } from '#domain/page.ts';

/** A delivery to be attempted now, by whoever took it. */
export type DueDelivery = {
  readonly deliveryId: string;
  /** From 1: who holds an older one has lost the delivery. */
  readonly attempt: number;
  /** From 1: which try it is since it was last replayed. What we broke off, or died of, was none. */
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
  take(endpointId: EndpointId, batchMax: number): Promise<readonly DueDelivery[]>;

  /**
   * Writes down how an attempt ended and what follows. Nothing follows of an attempt that is not the last one taken.
   * An endpoint that is gone is switched off; but what the parcel's URL answers says nothing of one that is elsewhere by now:
   * there it is tried at once.
   */
  recordAttempt(delivery: DueDelivery, receipt: Receipt, verdict: AttemptOutcome): Promise<void>;

  /** Gives one back whose attempt was broken off by us: it is due at once, for whoever takes it. Harmless if it is lost already. */
  release(delivery: DueDelivery): Promise<void>;

  /** Makes due what waits for nothing and yet has no time, should there be any: it would wait for ever. Answers how many. */
  wakeForgotten(): Promise<number>;

  /** Sends an event of its own, of type `webhook.test`. Undefined if there is no such endpoint. */
  test(endpointId: EndpointId): Promise<Delivery | undefined>;

  /**
   * Sends one again, whether it arrived or was given up; if an earlier one of its aggregate is pending, after that. Refuses
   * `delivery-not-found`, `delivery-pending`.
   */
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
