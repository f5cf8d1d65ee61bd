import { Redis } from 'ioredis';
import { guarded } from './failures.ts';
import { definitions } from './scripts.ts';

export type RedisSettings = {
  readonly url: string;
  /** A command that is not answered by then has failed, as far as we are concerned. */
  readonly commandTimeoutMs: number;
};

export type RedisConnection = {
  readonly redis: Redis;
  /** Fails unless Redis answers and is set up so that it never evicts a place or a hold. */
  ping(): Promise<void>;
  close(): Promise<void>;
};

const RECONNECT_MS_MAX = 1_000;

/**
 * A connection that fails fast: nothing is queued while Redis is away and nothing is sent again afterwards, because a
 * claim that runs seconds after its caller was told "unavailable" is worse than none. It reconnects by itself for ever.
 */
export async function connectRedis(settings: RedisSettings, onError: (error: Error) => void): Promise<RedisConnection> {
  const redis = new Redis(settings.url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: settings.commandTimeoutMs,
    enableAutoPipelining: true,
    retryStrategy: (attempts) => Math.min(attempts * 50, RECONNECT_MS_MAX),
    scripts: definitions,
  });
  redis.on('error', onError);
  limitCommands(redis, settings.commandTimeoutMs);
  await redis.connect().catch(onError);

  return {
    redis,
    async ping() {
      const memory = await guarded(() => redis.info('memory'));
      const policy = /maxmemory_policy:(\S+)/.exec(memory)?.[1];
      if (policy !== 'noeviction') {
        throw new Error(
          `Redis may evict places and holds: maxmemory-policy must be noeviction, not ${policy ?? 'unknown'}`,
        );
      }
    },
    async close() {
      await redis.quit().catch(() => redis.disconnect());
    },
  };
}

/**
 * Fails commands that are not answered in time, as ioredis' own `commandTimeout` does, except that an answer which has
 * arrived counts. Timers come before sockets: when a burst keeps the process busy for longer than the limit, commands that
 * Redis answered long ago would fail, a tenth of the burst. So who has run out of time gets one look at the socket first.
 */
function limitCommands(redis: Redis, limitMs: number): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    const giveUp = () => {
      if (!command.isSettled) command.reject(new Error('Command timed out'));
    };
    const limit = setTimeout(() => setImmediate(() => setImmediate(giveUp)), limitMs);
    const settled = () => clearTimeout(limit);
    command.promise.then(settled, settled);
    return send(command, stream);
  };
}
