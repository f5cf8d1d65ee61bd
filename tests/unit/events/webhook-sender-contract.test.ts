import { webhookSenderContract } from '#tests/contracts/webhook-sender-contract.ts';
import { memoryWebhookSender } from '#tests/fakes/memory-webhook-sender.ts';

const webhookSender = memoryWebhookSender();
let servers = 0;

webhookSenderContract({
  webhookSender,
  forbidden: 'https://intranet/',
  async server(status) {
    const url = `https://shop${++servers}.example.com/hook`;
    webhookSender.answers(() => ({ status }));
    return { url, bodies: () => webhookSender.sent.filter((message) => message.url === url).map(({ body }) => body) };
  },
});
