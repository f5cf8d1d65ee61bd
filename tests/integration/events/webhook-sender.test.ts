import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import tls from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import type { Resolve } from '#adapters/webhooks/destination.ts';
import { httpWebhookSender } from '#adapters/webhooks/webhook-sender.ts';
import type { WebhookMessage } from '#ports/events/webhook-sender.ts';
import { webhookSenderContract } from '#tests/contracts/webhook-sender-contract.ts';
import { isSignedBy, startReceiver } from '#tests/support/receiver.ts';
import { SHOP_CERTIFICATE } from '#tests/support/shop-certificate.ts';
import { until } from '#tests/support/until.ts';

const LOOPBACK = ['127.0.0.0/8'];
const PATIENT_MS = 120_000;
/** For those who are not going to be answered. */
const IMPATIENT_MS = 300;

const webhookSender = httpWebhookSender({ timeoutMs: PATIENT_MS, allowNetworks: LOOPBACK });
const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const letterTo = (url: string): WebhookMessage => ({
  messageId: 'evt_1795167285120_1042',
  url,
  sentAt: new Date(1_795_167_285_999),
  secrets: [SECRET],
  body: '{"type":"webhook.test"}',
});

webhookSenderContract({
  webhookSender,
  forbidden: 'http://[::1]:9/',
  async server(status) {
    const { url, received, answers } = await startReceiver();
    answers((_, response) => response.writeHead(status, { location: url }).end());
    return { url, bodies: () => received.map(({ body }) => body) };
  },
});

describe('a request', () => {
  it('is a POST of JSON with the headers of Standard Webhooks, signed with the secret', async () => {
    const { url, received } = await startReceiver();
    await webhookSender.send(letterTo(url));
    const [request, ...more] = received;
    if (request === undefined) throw new RangeError('nothing arrived');
    expect(more).toEqual([]);
    expect(request.method).toBe('POST');
    expect(request.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': 'evt_1795167285120_1042',
      'webhook-timestamp': '1795167285',
    });
    expect(isSignedBy(SECRET, request)).toBe(true);
    expect(isSignedBy(SECRET, { ...request, body: `${request.body} ` })).toBe(false);
    expect(isSignedBy(`whsec_${Buffer.alloc(32, 6).toString('base64')}`, request)).toBe(false);
  });

  it('does not follow a redirect', async () => {
    const elsewhere = await startReceiver();
    const { url, answers } = await startReceiver();
    answers((_, response) => response.writeHead(307, { location: elsewhere.url }).end());
    expect(await webhookSender.send(letterTo(url))).toMatchObject({ status: 307 });
    expect(elsewhere.received).toEqual([]);
  });

  it('hears when to come again', async () => {
    const { url, answers } = await startReceiver();
    answers((_, response) => response.writeHead(503, { 'retry-after': '120' }).end());
    expect(await webhookSender.send(letterTo(url))).toMatchObject({ status: 503, retryAfterSeconds: 120 });
    answers((_, response) => response.writeHead(503, { 'retry-after': 'Fri, 20 Nov 2026 09:00:00 GMT' }).end());
    expect(await webhookSender.send(letterTo(url))).not.toHaveProperty('retryAfterSeconds');
  });
});

describe('a server that', () => {
  it('never answers is not waited for any longer than the limit', async () => {
    const { url, answers } = await startReceiver();
    answers(() => {});
    const impatient = httpWebhookSender({ timeoutMs: IMPATIENT_MS, allowNetworks: LOOPBACK });
    const receipt = await impatient.send(letterTo(url));
    expect(receipt).toMatchObject({ failure: `no answer within ${IMPATIENT_MS} ms` });
    expect(receipt?.durationMs).toBeGreaterThanOrEqual(IMPATIENT_MS - 50);
  });

  it('answers and does not come to an end has answered', async () => {
    const { url, answers } = await startReceiver();
    answers((_, response) => response.writeHead(200).write('and'));
    // The time that it is given grows until the answer begins within it.
    let timeoutMs = IMPATIENT_MS;
    await until('an attempt has a status', async () => {
      const receipt = await httpWebhookSender({ timeoutMs, allowNetworks: LOOPBACK }).send(letterTo(url));
      timeoutMs *= 2;
      return receipt !== undefined && 'status' in receipt && receipt.status === 200;
    });
  });

  it('answers without end is not listened to for ever', async () => {
    const { url, answers } = await startReceiver();
    let hungUp = false;
    answers((_, response) => {
      const chunk = Buffer.alloc(16_384);
      const pour = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.writeHead(200).on('drain', pour);
      response
        .on('error', () => {})
        .on('close', () => {
          hungUp = true;
        });
      pour();
    });
    expect(await webhookSender.send(letterTo(url))).toMatchObject({ status: 200 });
    await until('nobody listens any more', () => hungUp);
  });

  it('hangs up, is not there, or does not speak HTTP has not answered', async () => {
    const rude = await startRaw((socket) => socket.destroy());
    expect(await webhookSender.send(letterTo(rude))).toMatchObject({ failure: expect.stringMatching(/\w/) });
    const strange = await startRaw((socket) => socket.end('220 mail.example ESMTP\r\n'));
    expect(await webhookSender.send(letterTo(strange))).toMatchObject({ failure: expect.stringMatching(/\w/) });
    const nobody = await webhookSender.send(letterTo('http://127.0.0.1:1/'));
    expect(nobody).toMatchObject({ failure: expect.stringContaining('ECONNREFUSED') });
  });

  it('is being waited for when the instance stops is let go, and nothing is said against it', async () => {
    const { url, received, answers } = await startReceiver();
    answers(() => {});
    const stopping = httpWebhookSender({ timeoutMs: PATIENT_MS, allowNetworks: LOOPBACK });
    const sending = stopping.send(letterTo(url));
    await until('it is asked', () => received.length === 1);
    stopping.close();
    expect(await sending).toBeUndefined();
    expect(await stopping.send(letterTo(url))).toBeUndefined();
    expect(received).toHaveLength(1);
  });
});

describe('a name', () => {
  const at =
    (address: string): Resolve =>
    async () => [{ address, family: 4 }];

  it('is looked up by us, and the connection goes to the address that was found fit', async () => {
    const { port, received } = await startReceiver();
    const found = httpWebhookSender({ timeoutMs: PATIENT_MS, allowNetworks: LOOPBACK }, at('127.0.0.1'));
    expect(await found.send(letterTo(`http://shop.example:${port}/hook`))).toMatchObject({ status: 204 });
    expect(received[0]?.headers.host).toBe(`shop.example:${port}`);
  });

  it('that leads to a private address is refused, and nothing is sent there', async () => {
    const { port, received } = await startReceiver();
    const strict = httpWebhookSender({ timeoutMs: PATIENT_MS, allowNetworks: [] }, at('127.0.0.1'));
    const receipt = await strict.send(letterTo(`https://shop.example:${port}/hook`));
    expect(receipt).toMatchObject({ failure: '127.0.0.1 is not a public address' });
    expect(received).toEqual([]);
  });

  it('that leads to a public address when it is checked and to a private one after that gets nobody in', async () => {
    const inside = await startReceiver();
    const asked: string[] = [];
    // Nobody is at 127.0.0.2; here it stands for a public address.
    const rebinding: Resolve = async (hostname) => {
      asked.push(hostname);
      return [{ address: asked.length === 1 ? '127.0.0.2' : '127.0.0.1', family: 4 }];
    };
    const strict = httpWebhookSender({ timeoutMs: PATIENT_MS, allowNetworks: ['127.0.0.2'] }, rebinding);
    const url = `http://shop.example:${inside.port}/hook`;
    // Asked once: whoever asked again for connecting would be let in.
    expect(await strict.send(letterTo(url))).toHaveProperty('failure');
    expect(asked).toEqual(['shop.example']);
    expect(await strict.send(letterTo(url))).toMatchObject({ failure: '127.0.0.1 is not a public address' });
    expect(inside.received).toEqual([]);
  });

  it('that nobody knows is a failure of the attempt, and refused for an endpoint', async () => {
    const unknown: Resolve = async (hostname) => {
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' });
    };
    const lost = httpWebhookSender({ timeoutMs: PATIENT_MS, allowNetworks: [] }, unknown);
    expect(await lost.send(letterTo('https://shop.example/'))).toMatchObject({
      failure: expect.stringContaining('ENOTFOUND'),
    });
    await expect(lost.inspect('https://shop.example/')).rejects.toMatchObject({ code: 'webhook-url-refused' });
  });

  it('that is being looked up for ever is not waited for any longer than the limit', async () => {
    const slow = httpWebhookSender({ timeoutMs: IMPATIENT_MS, allowNetworks: [] }, () => new Promise(() => {}));
    const failure = `no answer within ${IMPATIENT_MS} ms`;
    expect(await slow.send(letterTo('https://shop.example/'))).toMatchObject({ failure });
  });
});

describe('https', () => {
  const at =
    (address: string): Resolve =>
    async () => [{ address, family: 4 }];
  const toShop = httpWebhookSender({ timeoutMs: PATIENT_MS, allowNetworks: LOOPBACK }, at('127.0.0.1'));

  it('is spoken to a server with a certificate that is trusted and is of the name, and to no other', async () => {
    const { port, received } = await startReceiver({ tls: true });
    const untrusted = await toShop.send(letterTo(`https://shop.example:${port}/hook`));
    expect(untrusted).toMatchObject({ failure: expect.stringContaining('self-signed') });

    const before = tls.getCACertificates('default');
    tls.setDefaultCACertificates([...before, SHOP_CERTIFICATE]);
    try {
      expect(await toShop.send(letterTo(`https://shop.example:${port}/hook`))).toMatchObject({ status: 204 });
      const wrongName = await toShop.send(letterTo(`https://another.example:${port}/hook`));
      expect(wrongName).toMatchObject({ failure: expect.stringContaining('another.example') });
    } finally {
      tls.setDefaultCACertificates(before);
    }
    expect(received).toHaveLength(1);
  });

  it('is not spoken by a server without a certificate', async () => {
    const { port, received } = await startReceiver();
    expect(await toShop.send(letterTo(`https://shop.example:${port}/hook`))).toHaveProperty('failure');
    expect(received).toEqual([]);
  });
});

/** A server that does what it likes with a connection. */
async function startRaw(onSocket: (socket: Socket) => void): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`;
}
