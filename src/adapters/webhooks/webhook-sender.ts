import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { Refusal } from '#domain/errors.ts';
import type { WebhookMessage, WebhookSender } from '#ports/events/webhook-sender.ts';
import { type Destination, destinationOf, type Resolve } from './destination.ts';
import { judgeOfAddresses } from './networks.ts';
import { type Answer, postJson } from './post-json.ts';
import { signedHeaders } from './signature.ts';

export type WebhookSenderSettings = {
  /** Limits an attempt, from name resolution to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Non-public networks to which messages may go, also without TLS. */
  readonly allowNetworks: readonly string[];
};

export type HttpWebhookSender = WebhookSender & {
  /** Aborts running and future attempts. */
  close(): void;
};

const FAILURE_LENGTH_MAX = 200;
const STOPPING = new Error('this instance stops');

const resolveByDns: Resolve = (hostname) => lookup(hostname, { all: true });

export function httpWebhookSender(
  { timeoutMs, allowNetworks }: WebhookSenderSettings,
  resolve = resolveByDns,
): HttpWebhookSender {
  const judge = judgeOfAddresses(allowNetworks);
  const closing = new AbortController();

  return {
    async send(message) {
      const startedAt = performance.now();
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]);
      const outcome = await untilAborted(signal, () => destinationOf(message.url, resolve, judge))
        .then((destination) => post(destination, message, signal))
        .catch((error: unknown) => ({ failure: failureOf(signal.aborted ? signal.reason : error, timeoutMs) }));
      if ('failure' in outcome && signal.reason === STOPPING) return undefined;
      return { ...outcome, durationMs: Math.round(performance.now() - startedAt) };
    },

    async inspect(url) {
      const signal = AbortSignal.timeout(timeoutMs);
      await untilAborted(signal, () => destinationOf(url, resolve, judge)).catch((error: unknown) => {
        if (error instanceof Refusal) throw error;
        throw new Refusal('webhook-url-refused', { reason: failureOf(error, timeoutMs) });
      });
    },

    close() {
      closing.abort(STOPPING);
    },
  };
}

/** A name resolution cannot be aborted, only abandoned. */
async function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function post({ url, addresses }: Destination, message: WebhookMessage, signal: AbortSignal): Promise<Answer> {
  // Connects to a checked address, whatever the name resolves to by now.
  const toFit: LookupFunction = (_hostname, { all }, callback) => {
    const [first] = addresses;
    if (all) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
  const headers = { 'user-agent': 'Frontrow-Webhooks', ...signedHeaders(message) };
  return postJson({ url, body: message.body, headers, lookup: toFit, agent: false, signal });
}

function failureOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Refusal) return String((error as Refusal<'webhook-url-refused'>).facts.reason);
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  return (error instanceof Error ? error.message || error.name : String(error)).slice(0, FAILURE_LENGTH_MAX);
}
