import { messageIdOf, messageOf } from '#domain/events/public-event.ts';
import { attemptOutcomeOf } from '#domain/events/webhook.ts';
import type { EndpointId } from '#domain/ids.ts';
import type { DueDelivery } from '#ports/events/deliveries.ts';
import type { Ports } from '#ports/index.ts';

/** Limits the parallel messages from one instance to one endpoint. */
const PARALLEL_MAX = 5;

type Needed = Pick<Ports, 'deliveries' | 'webhookSender' | 'random'>;

/**
 * Sends the next due deliveries of an endpoint and records their outcome. A delivery whose outcome could not be recorded
 * is sent again.
 *
 * @returns how many were attempted
 * @throws the first failure, after the other attempts
 */
export async function deliverWebhooks(ports: Needed, endpointId: EndpointId): Promise<number> {
  const deliveriesDue = await ports.deliveries.take(endpointId, PARALLEL_MAX);
  const outcomes = await Promise.allSettled(deliveriesDue.map((delivery) => deliver(ports, delivery)));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return deliveriesDue.length;
}

async function deliver({ deliveries, webhookSender, random }: Needed, delivery: DueDelivery): Promise<void> {
  const { url, secrets, event, takenAt, tries } = delivery;
  const message = { messageId: messageIdOf(event), url, secrets, sentAt: takenAt, body: messageOf(event) };
  const receipt = await webhookSender.send(message);
  // Aborted by us, so it does not count as an attempt.
  if (receipt === undefined) return deliveries.release(delivery);
  await deliveries.recordAttempt(delivery, receipt, attemptOutcomeOf(receipt, tries, random()));
}
