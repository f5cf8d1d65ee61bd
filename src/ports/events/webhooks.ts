import type { OfferedEventType } from '#domain/events/public-event.ts';
import type { Endpoint } from '#domain/events/webhook.ts';
import type { EndpointId } from '#domain/ids.ts';
import type { Page, PageRequest } from '#domain/page.ts';

export type EndpointOrder = {
  readonly endpointId: EndpointId;
  readonly url: string;
  /** Empty means all. */
  readonly eventTypes: readonly OfferedEventType[];
};

/** A field that is left out stays. */
export type EndpointChange = {
  readonly url?: string | undefined;
  readonly eventTypes?: readonly OfferedEventType[] | undefined;
  readonly enabled?: boolean | undefined;
};

/** A secret is `whsec_` and 32 random bytes in base64. It is shown once, when it is created. */
export type WithSecret = { readonly endpoint: Endpoint; readonly secret: string };

/**
 * The webhook endpoints. No method returns a removed one.
 *
 * Refuses `busy` or `unavailable` when the store is.
 */
export type Webhooks = {
  /** Creates an endpoint, which gets the events relayed from now on. Refuses `webhook-limit-reached`. */
  create(order: EndpointOrder, endpointsMax: number): Promise<WithSecret>;

  /**
   * Returns undefined for an unknown endpoint. A disabled endpoint gets nothing: pending deliveries go on once it is
   * enabled, events relayed meanwhile are not for it.
   */
  change(endpointId: EndpointId, change: EndpointChange): Promise<Endpoint | undefined>;

  /**
   * Creates a new secret. The previous one signs as well for `previousForSeconds`; an older one stops at once. Returns
   * undefined for an unknown endpoint.
   */
  rotate(endpointId: EndpointId, previousForSeconds: number): Promise<WithSecret | undefined>;

  /** Returns false for an unknown endpoint. */
  remove(endpointId: EndpointId): Promise<boolean>;

  find(endpointId: EndpointId): Promise<Endpoint | undefined>;
  list(page: PageRequest): Promise<Page<Endpoint>>;
};
