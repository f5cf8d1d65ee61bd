import { endpointId } from '#domain/ids.ts';
import type { EndpointOrder, WithSecret } from '#ports/events/webhooks.ts';
import type { Ports } from '#ports/index.ts';

/** Limits the endpoints: each has a lane of its own in every instance. */
export const ENDPOINTS_MAX = 50;

/** Creates an endpoint and returns its secret, which is not shown again. Refuses `webhook-url-refused`. */
export async function createWebhook(
  { webhooks, webhookSender, newId }: Pick<Ports, 'webhooks' | 'webhookSender' | 'newId'>,
  order: Omit<EndpointOrder, 'endpointId'>,
): Promise<WithSecret> {
  await webhookSender.inspect(order.url);
  return webhooks.create({ ...order, endpointId: endpointId(newId()) }, ENDPOINTS_MAX);
}
