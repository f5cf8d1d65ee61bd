import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';
import { SHOP_CERTIFICATE, SHOP_KEY } from './shop-certificate.ts';

export type Received = { readonly headers: IncomingHttpHeaders; readonly method: string; readonly body: string };

/** Somebody's server that webhooks are sent to. */
export type Receiver = {
  readonly url: string;
  readonly port: number;
  /** What arrived so far, the first one first. */
  readonly received: readonly Received[];
  /** What it answers from now on; by default 204. */
  answers(answer: (request: Received, response: ServerResponse) => void): void;
};

/** Starts one, which ends with the test file. Called at the top of one, or by a test. */
export async function startReceiver({ tls = false }: { readonly tls?: boolean } = {}): Promise<Receiver> {
  const received: Received[] = [];
  let answer: Parameters<Receiver['answers']>[0] = (_request, response) => {
    response.writeHead(204).end();
  };
  const listener: RequestListener = (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const whole = { headers: request.headers, method: request.method ?? '', body };
      received.push(whole);
      answer(whole, response);
    });
  };
  const server = tls
    ? https.createServer({ key: SHOP_KEY, cert: SHOP_CERTIFICATE }, listener)
    : http.createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/hook`,
    port,
    received,
    answers(to) {
      answer = to;
    },
  };
}

/** Whether one of the signatures of a request is by this secret: as the convention says it, written apart from what sends. */
export function isSignedBy(secret: string, { headers, body }: Received): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  const mac = createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64'));
  for (const part of [id, '.', timestamp, '.', body]) mac.update(String(part));
  return String(signatures)
    .split(' ')
    .includes(`v1,${mac.digest('base64')}`);
}
