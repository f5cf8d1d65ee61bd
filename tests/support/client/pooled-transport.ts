import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { CallOptions, Said, Transport } from './client.ts';
import { turnstile } from './turnstile.ts';

export type PooledAnswer = {
  readonly status: number;
  readonly body: Said;
  /** When the request that was answered went out, in milliseconds since 1970. */
  readonly sentAt: number;
  /** Of the instance that answered. */
  readonly url: string;
};

/** For many clients at a high rate, through a load balancer that sticks to no instance. */
export type PooledTransport = {
  /** Asks the next instance; if no answer comes, at once the one after. Only for requests that may be repeated. */
  readonly send: Transport<PooledAnswer>;
  /** Whether the instance that gave this answer was gone before it can have recorded the request. */
  hasForgotten(answer: Pick<PooledAnswer, 'url' | 'sentAt'>): boolean;
  /** From now on these instances, and no others. */
  move(urls: readonly string[]): void;
  /** How often a connection was refused or broke, and another instance was asked. */
  readonly retries: number;
};

/** Clients share the connections, as they would those of a proxy: 50,000 of their own would be a test of the kernel. */
const CONNECTIONS_PER_INSTANCE = 128;
/** An answer that takes longer than this does not come: the connection is given up. */
const TIMEOUT_MS = 20_000;
/** A request is recorded in Redis by then. An instance is found gone some time after it was killed, never before. */
const RECORDED_WITHIN_MS = 1_500;
/** The pause before the next round while no instance answers. */
const ALL_GONE_MS = 200;

export function pooledTransport(first: readonly string[]): PooledTransport {
  let urls = first;
  let requests = 0;
  let retries = 0;
  /** When an instance did not answer for the first time. */
  const foundGone = new Map<string, number>();
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_PER_INSTANCE });
  // Before the agent: what waits there is a request already, at several kilobytes each.
  const connections = turnstile(CONNECTIONS_PER_INSTANCE * first.length);

  async function sendUntilAnswered(...call: Parameters<Transport<PooledAnswer>>): Promise<PooledAnswer> {
    for (let attempt = 1; ; attempt++) {
      const url = urls[requests++ % urls.length] ?? '';
      try {
        return await sendBy(agent, url, ...call);
      } catch {
        retries++;
        if (!foundGone.has(url)) foundGone.set(url, Date.now());
        if (attempt % urls.length === 0) await pause(ALL_GONE_MS);
      }
    }
  }
  return {
    send: (...call) => connections.pass(() => sendUntilAnswered(...call)),
    hasForgotten: ({ url, sentAt }) => (foundGone.get(url) ?? Number.POSITIVE_INFINITY) - sentAt < RECORDED_WITHIN_MS,
    move(next) {
      urls = next;
    },
    get retries() {
      return retries;
    },
  };
}

/** By `node:http`: a third of the processor time of `fetch`, which leaves more to the servers. */
function sendBy(agent: Agent, url: string, method: string, path: string, { headers, body }: CallOptions = {}) {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise<PooledAnswer>((resolve, reject) => {
    const sentAt = Date.now();
    const outgoing = request(`${url}${path}`, {
      agent,
      method,
      timeout: TIMEOUT_MS,
      headers: payload === undefined ? headers : { ...headers, 'content-type': 'application/json' },
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (part: string) => {
        text += part;
      });
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, body: text === '' ? {} : JSON.parse(text), sentAt, url }),
      );
    });
    outgoing.end(payload);
  });
}
