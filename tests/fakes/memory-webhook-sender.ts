import { Refusal } from '#domain/errors.ts';
import type { Receipt } from '#domain/events/webhook.ts';
import type { WebhookMessage, WebhookSender } from '#ports/events/webhook-sender.ts';

export type MemoryWebhookSender = WebhookSender & {
  readonly sent: readonly WebhookMessage[];
  /** Sets the answer to later messages; the default is 204. */
  answers(answer: (message: WebhookMessage) => Omit<Receipt, 'durationMs'>): void;
  /** Whether later messages are aborted by this instance. */
  breaksOff(breaks: boolean): void;
};

/** Keeps the messages. Only names under `example.com` are public. */
export function memoryWebhookSender(): MemoryWebhookSender {
  const sent: WebhookMessage[] = [];
  let breaksOff = false;
  let answerTo: Parameters<MemoryWebhookSender['answers']>[0] = () => ({ status: 204 });
  const isPublic = (url: string) => /^https:\/\/(\w+\.)?example\.com(\/|$)/.test(url);
  return {
    sent,
    answers(answer) {
      answerTo = answer;
    },
    breaksOff(breaks) {
      breaksOff = breaks;
    },
    async send(message) {
      if (!isPublic(message.url)) return { durationMs: 0, failure: 'it is not public' };
      sent.push(message);
      if (breaksOff) return undefined;
      return { durationMs: 7, ...answerTo(message) } as Receipt;
    },
    async inspect(url) {
      if (!isPublic(url)) throw new Refusal('webhook-url-refused', { reason: 'it is not public' });
    },
  };
}
