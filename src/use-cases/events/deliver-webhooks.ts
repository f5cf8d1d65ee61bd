import { messageIdOf, messageOf } from '#domain/events/public-event.ts';
import { attemptOutcomeOf } from '#domain/events/webhook.ts';
import type { EndpointId } from '#domain/ids.ts';
import type { DueDelivery } from '#ports/events/deliveries.ts';
import type { Ports } from '#ports/index.ts';

/** What an endpoint gets from one instance at the same time. */
const PARALLEL_MAX = 5;

type Needed = Pick<Ports, 'deliveries' | 'webhookSender' | 'random'>;

/**
 * Sends an endpoint the next of what is due, and writes down what became of it. What was sent and could not be written down
 * is sent again.
 *
 * @returns how many were attempted
 * @throws the first failure, after the others were settled
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
  // Not the receiver's fault: it takes none of its tries.
  if (receipt === undefined) return deliveries.release(delivery);
  await deliveries.recordAttempt(delivery, receipt, attemptOutcomeOf(receipt, tries, random()));
}
