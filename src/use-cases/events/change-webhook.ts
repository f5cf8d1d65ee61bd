import { Refusal } from '#domain/errors.ts';
import type { Endpoint } from '#domain/events/webhook.ts';
import type { EndpointId } from '#domain/ids.ts';
import type { EndpointChange } from '#ports/events/webhooks.ts';
import type { Ports } from '#ports/index.ts';

/**
 * Changes the URL, event types or state of an endpoint. Refuses `webhook-url-refused` for a URL to which no messages may
 * be sent.
 */
export async function changeWebhook(
  { webhooks, webhookSender }: Pick<Ports, 'webhooks' | 'webhookSender'>,
  { endpointId, change }: { readonly endpointId: EndpointId; readonly change: EndpointChange },
): Promise<Endpoint> {
  if (change.url !== undefined) await webhookSender.inspect(change.url);
  const changed = await webhooks.change(endpointId, change);
  if (changed === undefined) throw new Refusal('webhook-not-found');
  return changed;
}
