import type { OfferedEventType } from '#domain/events/public-event.ts';
import type { Endpoint } from '#domain/events/webhook.ts';
import type { EndpointId } from '#domain/ids.ts';
import type { Page, PageRequest } from '#domain/page.ts';

export type EndpointOrder = {
  readonly endpointId: EndpointId;
  readonly url: string;
  /** Empty: all of them. */
  readonly eventTypes: readonly OfferedEventType[];
};

/** What is left out stays. */
export type EndpointChange = {
  readonly url?: string | undefined;
  readonly eventTypes?: readonly OfferedEventType[] | undefined;
  readonly enabled?: boolean | undefined;
};

/** A secret is `whsec_` and 32 random bytes in base64. It is told once, when it is made. */
export type WithSecret = { readonly endpoint: Endpoint; readonly secret: string };

/**
 * The endpoints that events are sent to. One that was removed is not there any more, in whatever call.
 *
 * Refuses `busy` or `unavailable` when the store is.
 */
export type Webhooks = {
  /** Makes an endpoint, to which all is sent that is relayed from now on. Refuses `webhook-limit-reached`. */
  create(order: EndpointOrder, endpointsMax: number): Promise<WithSecret>;

  /**
   * Undefined if there is no such endpoint. While it is switched off nothing is sent to it; what is pending goes on once it is
   * switched on, and what is relayed meanwhile is not for it.
   */
  change(endpointId: EndpointId, change: EndpointChange): Promise<Endpoint | undefined>;

  /**
   * Makes a new secret. For so long the one before signs as well; one that was still signing beside that does not any more.
   * Undefined if there is no such endpoint.
   */
  rotate(endpointId: EndpointId, previousForSeconds: number): Promise<WithSecret | undefined>;

  /** Answers whether there was such an endpoint. */
  remove(endpointId: EndpointId): Promise<boolean>;

  find(endpointId: EndpointId): Promise<Endpoint | undefined>;
  list(page: PageRequest): Promise<Page<Endpoint>>;
};
