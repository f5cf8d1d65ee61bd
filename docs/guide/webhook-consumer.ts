// A server that receives webhooks of Frontrow. It needs nothing but Node 22.18 or later:
//   WEBHOOK_SECRET=whsec_… PORT=8080 node docs/guide/webhook-consumer.ts
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

const { WEBHOOK_SECRET = '', PORT = '8080' } = process.env;
const key = Buffer.from(WEBHOOK_SECRET.replace(/^whsec_/, ''), 'base64');
if (key.length === 0) throw new Error('WEBHOOK_SECRET is not set: it is in the answer that made the endpoint');

/** What is older was recorded and sent again by somebody else. */
const TOLERANCE_SECONDS = 300;
const BODY_BYTES_MAX = 1_048_576;
/** The latest so many, while this process lives. Yours belong in your database, in the transaction that uses the event. */
const SEEN_MAX = 100_000;
/** By id. What is in use is here already, so that a repetition waits for it instead of using it too. */
const seen = new Map<string, Promise<void>>();

/** Whether a request is Frontrow's. Over the bytes as they came: parsed and written again they may be others. */
function isGenuine(headers: IncomingHttpHeaders, body: Buffer): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  const ageSeconds = Math.abs(Date.now() / 1_000 - Number(timestamp));
  if (Number.isNaN(ageSeconds) || ageSeconds > TOLERANCE_SECONDS) return false;
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  // While the secret is changed there are two.
  return String(signatures)
    .split(' ')
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => Buffer.from(signature.slice('v1,'.length), 'base64'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}

type Message = { type: string; timestamp: string; aggregateId: string; aggregateSequence: number; data: object };

/**
 * Your part. Quick, or put somewhere for later: Frontrow waits 15 seconds, and then sends it again. Events of one
 * reservation come in any order: `aggregateSequence` says which is the later one.
 */
async function use({ type, timestamp, aggregateId, aggregateSequence, data }: Message): Promise<void> {
  console.log(timestamp, type, aggregateId, aggregateSequence, JSON.stringify(data));
}

/** Uses an event, unless it was used, or is being used. What fails is forgotten, so that it can come again. */
function useOnce(id: string, body: Buffer): Promise<void> {
  const known = seen.get(id);
  if (known !== undefined) return known;
  const using = (async () => use(JSON.parse(body.toString())))();
  seen.set(id, using);
  using.catch(() => seen.delete(id));
  const [oldest] = seen.size > SEEN_MAX ? seen.keys() : [];
  if (oldest !== undefined) seen.delete(oldest);
  return using;
}

/** Answers with a status. */
async function receive(request: IncomingMessage): Promise<number> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return 413;
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (request.method !== 'POST' || !isGenuine(request.headers, body)) return 401;
  await useOnce(String(request.headers['webhook-id']), body);
  return 204;
}

const server = createServer((request, response) => {
  receive(request).then(
    (status) => response.writeHead(status).end(),
    (error: unknown) => {
      // Frontrow sends it again. Who has hung up in the middle hears nothing, and it is no matter.
      console.error(request.headers['webhook-id'], error);
      response.writeHead(500).end();
    },
  );
});

server.listen(Number(PORT), () => console.log(`listening on port ${(server.address() as AddressInfo).port}`));
