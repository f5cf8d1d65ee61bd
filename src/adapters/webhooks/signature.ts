import { createHmac } from 'node:crypto';
import type { WebhookMessage } from '#ports/events/webhook-sender.ts';

const SECRET_PREFIX = 'whsec_';

/**
 * The headers of the Standard Webhooks convention 1.0, with one signature per secret. So a receiver with the previous
 * secret is served during a rotation.
 */
export function signedHeaders({ messageId, sentAt, secrets, body }: Omit<WebhookMessage, 'url'>) {
  const timestamp = String(Math.floor(sentAt.getTime() / 1_000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${messageId}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': messageId, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
