import type { Receipt } from '#domain/events/webhook.ts';

/** A message for somebody else's server, by the Standard Webhooks convention. */
export type WebhookMessage = {
  readonly messageId: string;
  readonly url: string;
  /** Signed with the rest: who receives it much later drops it. */
  readonly sentAt: Date;
  /** Signed with each of them. */
  readonly secrets: readonly string[];
  readonly body: string;
};

/** Carries messages to servers that are not ours, and to no address inside our own networks. */
export type WebhookSender = {
  /** Sends the letter once. What goes wrong is in the receipt; there is none if it was us who broke it off. */
  send(message: WebhookMessage): Promise<Receipt | undefined>;

  /** Refuses `webhook-url-refused` if letters to there would not be carried. */
  inspect(url: string): Promise<void>;
};
