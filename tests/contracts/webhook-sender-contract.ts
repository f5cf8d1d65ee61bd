import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import type { WebhookMessage, WebhookSender } from '#ports/events/webhook-sender.ts';
import { expectRefusal } from './expect-refusal.ts';

export type WebhookSenderHarness = {
  readonly webhookSender: WebhookSender;
  /** A server that letters may go to: what it answers, and the bodies that arrived there. */
  server(status: number): Promise<{ readonly url: string; bodies(): readonly string[] }>;
  /** Where no letters go. */
  readonly forbidden: string;
};

/** What `Courier` promises. */
export function webhookSenderContract({ webhookSender, server, forbidden }: WebhookSenderHarness): void {
  const letterTo = (url: string): WebhookMessage => ({
    messageId: `evt_${newId()}`,
    url,
    sentAt: new Date(),
    secrets: [`whsec_${Buffer.alloc(32, 1).toString('base64')}`],
    body: JSON.stringify({ type: 'webhook.test', data: { says: '안녕' } }),
  });

  describe('a letter', () => {
    it('arrives as it was given, and the receipt says what was answered', async () => {
      const { url, bodies } = await server(204);
      const message = letterTo(url);
      expect(await webhookSender.send(message)).toMatchObject({ status: 204, durationMs: expect.any(Number) });
      expect(bodies()).toEqual([message.body]);
    });

    it.each([302, 410, 500])('is sent once, whatever is answered: %s', async (status) => {
      const { url, bodies } = await server(status);
      expect(await webhookSender.send(letterTo(url))).toMatchObject({ status });
      expect(bodies()).toHaveLength(1);
    });

    it('is not carried where none go, and the receipt says so', async () => {
      expect(await webhookSender.send(letterTo(forbidden))).toMatchObject({ failure: expect.stringMatching(/\w/) });
    });
  });

  describe('looking at a URL', () => {
    it('refuses it where no letters go', async () => {
      await expectRefusal(webhookSender.inspect(forbidden), 'webhook-url-refused');
    });

    it('sends nothing', async () => {
      const { url, bodies } = await server(204);
      await webhookSender.inspect(url);
      expect(bodies()).toEqual([]);
    });
  });
}
