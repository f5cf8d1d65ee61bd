import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Cluster, type Redis } from 'ioredis';
import { guarded } from './failures.ts';
import { openClient, type RedisSettings } from './open-client.ts';
import type { RedisClient } from './redis-client.ts';
import { keepSubscribed, type Subscription } from './subscription.ts';

export type RedisConnection = {
  readonly redis: RedisClient;
  /** Fails unless Redis answers and is set up so that it never evicts a place or a hold. Asks every primary. */
  ping(): Promise<void>;
  /**
   * Hears what is published on a channel from now on, on a connection of its own. It is looked after until it is stopped;
   * what is published while it is lost is not heard.
   */
  subscribe(channel: string, onMessage: (message: string) => void): Promise<Subscription>;
  close(): Promise<void>;
};

/** A service that starts while Redis is away starts without it, after this. */
const CONNECT_MS = 3_000;

/**
 * @param onError is told what is lost, as often as it is tried again; whoever sends a command finds out by its failing.
 */
export async function connectRedis(settings: RedisSettings, onError: (error: Error) => void): Promise<RedisConnection> {
  const { commandTimeoutMs } = settings;
  const redis = openClient(settings);
  let isClosing = false;
  const onLoss = (error: Error) => {
    // What is still being sent breaks off when Redis hangs up, as it was asked to.
    if (!isClosing) onError(error);
  };
  redis.on('error', onLoss);
  redis.on('node error', onLoss);
  await Promise.race([connect(redis, onLoss), pause(CONNECT_MS, undefined, { ref: false })]);

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
        onError: onLoss,
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

/** A cluster is connected when it knows its nodes; its nodes are connected a moment later. */
async function connect(redis: RedisClient, onError: (error: Error) => void): Promise<void> {
  try {
    await redis.connect();
    const nodes = redis instanceof Cluster ? redis.nodes('master') : [];
    await Promise.all(nodes.map((node) => node.status === 'ready' || once(node, 'ready')));
  } catch (error) {
    onError(error as Error);
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

/** A new connection to a server that hears everything: the one there is, or any node of a cluster; undefined if none is known. */
function subscriberOf(redis: RedisClient, commandTimeoutMs: number): Redis | undefined {
  const nodes = redis instanceof Cluster ? redis.nodes() : [redis];
  const node = nodes[Math.floor(Math.random() * nodes.length)];
  return node?.duplicate({
    enableOfflineQueue: true,
    commandTimeout: commandTimeoutMs,
    // Whoever looks after the subscription connects anew, perhaps elsewhere.
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
  });
}
