import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { definitions } from '#adapters/redis/scripts.ts';
import type { RedisClient } from './redis-client.ts';

type Endpoint = { readonly host: string; readonly port: number };
type CommonOptions = ReturnType<typeof commonOptions>;
type Access = { readonly tls: boolean; readonly username?: string; readonly password?: string };

export type RedisSettings = (
  | { readonly url: string }
  | (Access & { readonly cluster: readonly Endpoint[] })
  | (Access & { readonly sentinels: readonly Endpoint[]; readonly primaryName: string })
) & {
  /** A command that is not answered by then has failed, as far as we are concerned. */
  readonly commandTimeoutMs: number;
};

/** A store that is away for minutes costs next to nothing; one that is away for seconds is found again at once. */
const RECONNECT_MS_MAX = 4_000;
/**
 * Limits of a command that a new connection may take to be ready, and that a connection may be silent though something was
 * asked, before it is given up. A process that is starting is busy, and no command waits for a connection.
 */
const CONNECTION_LIMITS = 10;
/** How often to look where the slots of a cluster are, for a node that says nothing any more cannot say that it has lost them. */
const SLOTS_REFRESH_MS = 5_000;

/**
 * A client that is not connected yet, and that fails fast: nothing is queued while Redis is away and nothing is sent again
 * afterwards, because a claim that runs seconds after its caller was told "unavailable" is worse than none. It reconnects
 * by itself for ever, also where a primary has changed.
 */
export function openClient(settings: RedisSettings): RedisClient {
  const { commandTimeoutMs } = settings;
  const common = commonOptions(settings);
  if ('cluster' in settings) return openCluster(settings.cluster, common, commandTimeoutMs);

  const single = {
    ...common,
    retryStrategy: reconnectDelay,
    // A primary that was turned into a replica is left for the new one. The command that found out fails: true does not repeat it.
    reconnectOnError: ({ message }: Error) => message.startsWith('READONLY'),
    scripts: definitions,
  } satisfies RedisOptions;
  const redis =
    'url' in settings
      ? new Redis(settings.url, single)
      : new Redis({
          ...single,
          sentinels: [...settings.sentinels],
          name: settings.primaryName,
          sentinelRetryStrategy: reconnectDelay,
          sentinelCommandTimeout: CONNECTION_LIMITS * commandTimeoutMs,
          ...(settings.tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
        });
  return prepared(redis, commandTimeoutMs);
}

function openCluster(nodes: readonly Endpoint[], redisOptions: CommonOptions, commandTimeoutMs: number): Cluster {
  const cluster = new Cluster([...nodes], {
    redisOptions,
    lazyConnect: true,
    enableOfflineQueue: false,
    // Asks whether the whole cluster is well; what is left of it serves what it has.
    enableReadyCheck: false,
    clusterRetryStrategy: reconnectDelay,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    slotsRefreshTimeout: CONNECTION_LIMITS * commandTimeoutMs,
    // 0: commands that were cut off, and may have been executed, are not sent again. What was redirected has not been.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // Names stay names, so that certificates can be checked against them.
    dnsLookup: (host, callback) => callback(null, host),
    scripts: definitions,
  });
  cluster.on('+node', (node: Redis) => {
    // At once: a node that is connecting refuses commands, so the first ones for it would fail.
    prepared(node, commandTimeoutMs)
      .connect()
      .catch(() => {});
  });
  return cluster;
}

/** What holds for every connection, wherever it leads. */
function commonOptions(settings: RedisSettings) {
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECTION_LIMITS * settings.commandTimeoutMs,
    ...('url' in settings ? {} : access(settings)),
  } satisfies RedisOptions;
}

function access({ tls, username, password }: Access) {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
}

/** Spread by up to a half, so that instances which lost Redis together do not come back in one instant. */
function reconnectDelay(attempts: number): number {
  return Math.min(attempts * 50, RECONNECT_MS_MAX) * (1 - Math.random() / 2);
}

function prepared(redis: Redis, commandTimeoutMs: number): Redis {
  writeOncePerTurn(redis);
  limitCommands(redis, () => (redis.status === 'ready' ? commandTimeoutMs : CONNECTION_LIMITS * commandTimeoutMs));
  return redis;
}

/**
 * A new connection to the same server for a subscription. It does not reconnect: its caller opens another one, perhaps to
 * another node. Nobody waits for its answers, so it has the limit of a connection.
 */
export function openSubscriber(redis: Redis, commandTimeoutMs: number): Redis {
  const subscriber = redis.duplicate({
    enableOfflineQueue: true,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
  });
  limitCommands(subscriber, () => CONNECTION_LIMITS * commandTimeoutMs);
  return subscriber;
}

/** So much waits for the end of a turn; what is more goes at once, so that Redis is at work while a crowd is still being read. */
const WAITING_BYTES_MAX = 1_024;

/**
 * Sends the commands of one turn of the event loop in one write, or a few. The same is what ioredis' pipelines are for, at twice the time
 * per command; and in a cluster they gather scripts by their first argument, the number of keys, and refuse all of a
 * gathering whose keys are on several nodes (`docs/decisions/0021`).
 */
function writeOncePerTurn(redis: Redis): void {
  const send = redis.sendCommand.bind(redis);
  let corked: Redis['stream'] | undefined;
  redis.sendCommand = (command, stream) => {
    if (corked === undefined && redis.stream !== undefined) {
      corked = redis.stream;
      corked.cork();
      setImmediate(() => {
        corked?.uncork();
        corked = undefined;
      });
    }
    const sent = send(command, stream);
    if (corked !== undefined && corked.writableLength > WAITING_BYTES_MAX) {
      corked.uncork();
      corked.cork();
    }
    return sent;
  };
}

/**
 * Fails commands that are not answered in time, and closes a connection on which nothing is answered for longer still, as
 * ioredis' own `commandTimeout` and `socketTimeout` do, except that an answer which has arrived counts. Timers run before
 * sockets are read: when a burst keeps the process busy for longer than the limit, commands that Redis has answered would
 * fail, a tenth of the burst. So the socket is read once more before a command fails.
 *
 * A command that has failed is not sent any more: the nodes of a cluster keep commands until they are connected.
 */
function limitCommands(redis: Redis, limitMs: () => number): void {
  const send = redis.sendCommand.bind(redis);
  /** When the first of the commands was sent that have all been left without an answer since. */
  let silentSinceMs: number | undefined;
  redis.sendCommand = (command, stream) => {
    if (command.isSettled) return command.promise;
    const sentMs = performance.now();
    const giveUp = () => {
      if (command.isSettled) return;
      silentSinceMs ??= sentMs;
      command.reject(new Error('Command timed out'));
      if (performance.now() - silentSinceMs < CONNECTION_LIMITS * limitMs()) return;
      silentSinceMs = undefined;
      redis.stream?.destroy(new Error('Connection timed out'));
    };
    const limit = setTimeout(() => setImmediate(() => setImmediate(giveUp)), limitMs());
    const failed = () => clearTimeout(limit);
    const answered = () => {
      silentSinceMs = undefined;
      clearTimeout(limit);
    };
    command.promise.then(answered, failed);
    return send(command, stream);
  };
}
