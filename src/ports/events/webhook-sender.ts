import type { Receipt } from '#domain/events/webhook.ts';

/** A message for a webhook endpoint, by the Standard Webhooks convention. */
export type WebhookMessage = {
  readonly messageId: string;
  readonly url: string;
  /** Signed, so that a receiver can refuse a replay. */
  readonly sentAt: Date;
  /** Each adds a signature. */
  readonly secrets: readonly string[];
  readonly body: string;
};

/** Sends messages to servers outside our own networks. */
export type WebhookSender = {
  /** Sends the message once. The receipt tells the failure, too. Undefined if this instance aborted the attempt. */
  send(message: WebhookMessage): Promise<Receipt | undefined>;

  /** Refuses `webhook-url-refused` if messages to this URL would not be sent. */
  inspect(url: string): Promise<void>;
};
