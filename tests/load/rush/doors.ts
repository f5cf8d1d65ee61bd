import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Said } from '#tests/support/client/client.ts';
import { turnstile } from './turnstile.ts';

export type Asked = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

/** What an answer may say besides what everybody reads. */
export type Told = Said & Readonly<Partial<{ pollAfterSeconds: number; etaSeconds: number }>>;
export type Answer = {
  readonly status: number;
  readonly retryAfterSeconds: number;
  readonly body: Told;
  /** When the request that was answered went out, in milliseconds since 1970. */
  readonly sentAt: number;
  /** Who has answered. */
  readonly door: string;
};

/** The instances behind a load balancer that sticks to none of them. */
export type Doors = {
  /** Asks at the next door; where nobody answers, at once at the one after. Only for what may be said twice. */
  ask(asked: Asked): Promise<Answer>;
  /** Whether the instance that gave this answer was gone before it can have told anybody who had asked. */
  hasForgotten(answer: Pick<Answer, 'door' | 'sentAt'>): boolean;
  /** From now on these, and no others. */
  move(urls: readonly string[]): void;
  /** How often a connection was refused or broke, and another door was tried. */
  readonly turnedAway: number;
};

/** Fans share the connections, as they would those of a proxy: 50,000 of one's own would be a test of the kernel. */
const CONNECTIONS_PER_DOOR = 128;
/** An answer that takes longer than this does not come: the connection is given up. */
const PATIENCE_MS = 20_000;
/** Who has asked is told to the others by then. An instance is found gone some time after it was killed, never before. */
const TOLD_WITHIN_MS = 1_500;
/** Until somebody opens again, where every door is closed. */
const ALL_CLOSED_MS = 200;
const RETRY_AFTER_SECONDS = 1;

export function openDoors(first: readonly string[]): Doors {
  let urls = first;
  let knocks = 0;
  let turnedAway = 0;
  /** When nobody answered there for the first time. */
  const foundGone = new Map<string, number>();
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_PER_DOOR });
  // Before the agent: whoever waits there is a request already, at several kilobytes each.
  const connections = turnstile(CONNECTIONS_PER_DOOR * first.length);

  async function ask(asked: Asked): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const url = urls[knocks++ % urls.length] ?? '';
      try {
        return await knock(agent, url, asked);
      } catch {
        turnedAway++;
        if (!foundGone.has(url)) foundGone.set(url, Date.now());
        if (attempt % urls.length === 0) await pause(ALL_CLOSED_MS);
      }
    }
  }
  return {
    ask: (asked) => connections.pass(() => ask(asked)),
    hasForgotten: ({ door, sentAt }) => (foundGone.get(door) ?? Number.POSITIVE_INFINITY) - sentAt < TOLD_WITHIN_MS,
    move(next) {
      urls = next;
    },
    get turnedAway() {
      return turnedAway;
    },
  };
}

/** By `node:http`: a third of the processor time of `fetch`, which leaves more to the servers. */
function knock(agent: Agent, url: string, { method, path, headers, body }: Asked): Promise<Answer> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sentAt = Date.now();
    const outgoing = request(`${url}${path}`, {
      agent,
      method,
      timeout: PATIENCE_MS,
      headers: payload === undefined ? headers : { ...headers, 'content-type': 'application/json' },
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)));
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (part: string) => {
        text += part;
      });
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          retryAfterSeconds: Number(incoming.headers['retry-after'] ?? RETRY_AFTER_SECONDS),
          body: text === '' ? {} : JSON.parse(text),
          sentAt,
          door: url,
        }),
      );
    });
    outgoing.end(payload);
  });
}
