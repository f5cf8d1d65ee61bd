import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Cluster, type Redis } from 'ioredis';
import { guarded } from './failures.ts';
import { openClient, openSubscriber, type RedisSettings } from './open-client.ts';
import type { RedisClient } from './redis-client.ts';
import { keepSubscribed, type Subscription } from './subscription.ts';

export type RedisConnection = {
  readonly redis: RedisClient;
  /** Fails unless every primary answers and is configured not to evict keys. */
  ping(): Promise<void>;
  /**
   * Receives the messages of a channel from now on, over a connection of its own. Reconnects until stopped; messages
   * during a loss are missed.
   */
  subscribe(channel: string, onMessage: (message: string) => void): Promise<Subscription>;
  close(): Promise<void>;
};

/** Limits the wait at start; then the service starts without Redis. */
const CONNECT_MS = 3_000;

/**
 * @param onLost is called once when a connection is lost or fails; commands sent meanwhile fail
 * @param onBack is called once when all connections are back
 */
export async function connectRedis(
  settings: RedisSettings,
  onLost: (error: Error) => void,
  onBack: () => void = () => {},
): Promise<RedisConnection> {
  const { commandTimeoutMs } = settings;
  const redis = openClient(settings);
  let isClosing = false;
  const losses = countLosses((error) => {
    // Redis closes the connection after QUIT, which breaks off commands that are still being sent.
    if (!isClosing) onLost(error);
  }, onBack);
  watch(redis, losses);
  await Promise.race([connect(redis, losses), pause(CONNECT_MS, undefined, { ref: false })]);

  const subscriptions = new Set<Subscription>();
  return {
    redis,
    async ping() {
      const primaries = redis instanceof Cluster ? redis.nodes('master') : [redis];
      if (primaries.length === 0) await guarded(() => redis.ping());
      await Promise.all(primaries.map(expectNoEviction));
    },
    async subscribe(channel, onMessage) {
      const subscription = await keepSubscribed({
        open: () => subscriberOf(redis, commandTimeoutMs),
        channel,
        onMessage,
        onSubscribed: () => losses.back(channel),
        onError: (error) => losses.lost(channel, error),
      });
      subscriptions.add(subscription);
      return subscription;
    },
    async close() {
      isClosing = true;
      await Promise.all([...subscriptions].map(({ stop }) => stop()));
      await redis.quit().catch(() => redis.disconnect());
    },
  };
}

type Losses = { lost(part: string, error: Error): void; back(part: string): void };

/** Reports the first loss of several connections, and the return of the last. */
function countLosses(onLost: (error: Error) => void, onBack: () => void): Losses {
  const lost = new Set<string>();
  return {
    lost(part, error) {
      if (lost.size === 0) onLost(error);
      lost.add(part);
    },
    back(part) {
      if (lost.delete(part) && lost.size === 0) onBack();
    },
  };
}

function watch(redis: RedisClient, { lost, back }: Losses): void {
  redis.on('error', (error) => lost('', error));
  redis.on('ready', () => back(''));
  if (!(redis instanceof Cluster)) return;
  const addressOf = ({ options }: Redis) => `${options.host}:${options.port}`;
  redis.on('node error', (error, address) => lost(address, error));
  redis.on('+node', (node: Redis) => node.on('ready', () => back(addressOf(node))));
  redis.on('-node', (node: Redis) => back(addressOf(node)));
}

/** A cluster client is connected once it knows its nodes; the nodes follow a moment later. */
async function connect(redis: RedisClient, { lost }: Losses): Promise<void> {
  try {
    await redis.connect();
    const nodes = redis instanceof Cluster ? redis.nodes('master') : [];
    await Promise.all(nodes.map((node) => node.status === 'ready' || once(node, 'ready')));
  } catch (error) {
    lost('', error as Error);
  }
}

async function expectNoEviction(primary: Redis): Promise<void> {
  const memory = await guarded(() => primary.info('memory'));
  const policy = /maxmemory_policy:(\S+)/.exec(memory)?.[1];
  if (policy !== 'noeviction') {
    throw new Error(
      `Redis may evict places and holds: maxmemory-policy must be noeviction, not ${policy ?? 'unknown'}`,
    );
  }
}

/**
 * A new connection to the only server, or to any node of a cluster, as each receives all messages. Undefined while no
 * node is known.
 */
function subscriberOf(redis: RedisClient, commandTimeoutMs: number): Redis | undefined {
  const nodes = redis instanceof Cluster ? redis.nodes() : [redis];
  const node = nodes[Math.floor(Math.random() * nodes.length)];
  return node?.status === 'ready' ? openSubscriber(node, commandTimeoutMs) : undefined;
}
