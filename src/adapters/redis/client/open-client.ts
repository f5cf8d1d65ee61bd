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
  /** Limits the wait for an answer; then the command has failed. */
  readonly commandTimeoutMs: number;
};

/**
 * Limits the pause between reconnects: long enough to idle during an outage, short enough to recover within seconds.
 */
const RECONNECT_MS_MAX = 4_000;
/**
 * Multiplies the command timeout for connecting and for silence on a connection. No command waits for a connection, and
 * a starting process is busy.
 */
const CONNECTION_LIMITS = 10;
/** Refreshes the slots of a cluster this often, as a silent node does not report that it has lost its slots. */
const SLOTS_REFRESH_MS = 5_000;

/**
 * Makes an unconnected client that fails fast: commands are neither queued during an outage nor sent again after it, as
 * a command must not run seconds after its caller was told "unavailable". It reconnects forever, also to a new primary.
 */
export function openClient(settings: RedisSettings): RedisClient {
  const { commandTimeoutMs } = settings;
  const common = commonOptions(settings);
  if ('cluster' in settings) return openCluster(settings.cluster, common, commandTimeoutMs);

  const single = {
    ...common,
    retryStrategy: reconnectDelay,
    // Leaves a primary that became a replica. `true` reconnects without repeating the command, which fails.
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
    // The check would ask for the state of the whole cluster; the remaining nodes can still serve.
    enableReadyCheck: false,
    clusterRetryStrategy: reconnectDelay,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    slotsRefreshTimeout: CONNECTION_LIMITS * commandTimeoutMs,
    // 0 prevents that interrupted commands, which may have run, are sent again. Redirected commands have not run, and
    // are.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // Keeps host names, so that certificates can be checked against them.
    dnsLookup: (host, callback) => callback(null, host),
    scripts: definitions,
  });
  cluster.on('+node', (node: Redis) => {
    // At once, as a connecting node refuses commands and the first ones would fail.
    prepared(node, commandTimeoutMs)
      .connect()
      .catch(() => {});
  });
  return cluster;
}

/** The options of all connections. */
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

/** Spread by up to a half, so that instances that lost Redis together do not reconnect together. */
function reconnectDelay(attempts: number): number {
  return Math.min(attempts * 50, RECONNECT_MS_MAX) * (1 - Math.random() / 2);
}

function prepared(redis: Redis, commandTimeoutMs: number): Redis {
  writeOncePerTurn(redis);
  limitCommands(redis, () => (redis.status === 'ready' ? commandTimeoutMs : CONNECTION_LIMITS * commandTimeoutMs));
  return redis;
}

/**
 * Opens a connection for a subscription, to the same server. It does not reconnect: the caller opens another one,
 * perhaps to another node. No command waits for it, so it gets the timeout of a connection.
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

/** Limits the bytes that wait for the end of a tick, so that Redis starts while a crowd is still being read. */
const WAITING_BYTES_MAX = 1_024;

/**
 * Writes the commands of one tick at once. ioredis' pipelines do the same at twice the time per command. In a cluster
 * they also group scripts by their first argument, the number of keys, and fail a group whose keys are on several nodes
 * (`docs/design/decisions/0021`).
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
 * Fails commands that time out, and closes a connection that stays silent for longer. Like ioredis' own `commandTimeout`
 * and `socketTimeout`, except that an answer that has arrived counts. Timers run before sockets are read, so a burst
 * that keeps the process busy would fail commands that Redis has answered: a tenth of the burst. So the socket is read
 * once more before a command fails.
 *
 * A failed command is not sent any more, although the nodes of a cluster keep commands until they are connected.
 */
function limitCommands(redis: Redis, limitMs: () => number): void {
  const send = redis.sendCommand.bind(redis);
  /** When the oldest unanswered command was sent. */
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
