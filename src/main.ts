import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { createServer } from '#adapters/http/server.ts';
import { newId } from '#adapters/ids/new-id.ts';
import { startJobs } from '#adapters/jobs/start-jobs.ts';
import { postgresBoxOffice } from '#adapters/postgres/booking/box-office.ts';
import { postgresConcerts } from '#adapters/postgres/catalog/concerts.ts';
import { connectPostgres, type Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { FunctionsMissing, requireFunctions } from '#adapters/postgres/client/require-functions.ts';
import { postgresDeliveries } from '#adapters/postgres/events/deliveries.ts';
import { postgresEvents } from '#adapters/postgres/events/events.ts';
import { postgresWebhooks } from '#adapters/postgres/events/webhooks.ts';
import { migrate } from '#adapters/postgres/install/migrate.ts';
import { seedDemo } from '#adapters/postgres/install/seed-demo.ts';
import { postgresQueueRecords } from '#adapters/postgres/queue/postgres-queue-records.ts';
import { postgresRecords } from '#adapters/postgres/records/records.ts';
import { postgresWallets } from '#adapters/postgres/wallet/wallets.ts';
import { connectRedis, type RedisConnection } from '#adapters/redis/client/connect-redis.ts';
import { redisEventStream } from '#adapters/redis/events/event-stream.ts';
import { redisCommandCounts } from '#adapters/redis/limits/command-counts.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { lockLosses } from '#adapters/redis/seats/lock-losses.ts';
import { redisHoldKeys } from '#adapters/redis/seats/redis-hold-keys.ts';
import { redisLock } from '#adapters/redis/seats/redis-lock.ts';
import { httpJoinCheck } from '#adapters/webhooks/join-check.ts';
import { httpWebhookSender } from '#adapters/webhooks/webhook-sender.ts';
import { type Config, readConfig } from '#config/config.ts';
import { StartError } from '#config/start-error.ts';
import { Refusal } from '#domain/errors.ts';
import type { Ports } from '#ports/index.ts';

// The composition root: makes everything in order, and ends it in reverse. Production runs `node src/main.ts`.

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of the service. */
export type Surroundings = {
  /** All settings: see `.env.example`. */
  readonly environment: Environment;
  /** Printed once the service is up. */
  readonly notes: readonly string[];
  /** Called once the service has ended. */
  stop(): Promise<unknown>;
};

const say = (line: string) => console.log(line);
const closers: { name: string; close: () => Promise<unknown> }[] = [];
let stopping: Promise<void> | undefined;

/** Runs the service until the process gets a signal. Called once. */
export async function run(surroundings: Promise<Surroundings>): Promise<void> {
  // Not `once`: npm repeats the Ctrl-C of the terminal, and a second signal without a listener would end the process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(0));
  try {
    const { environment, notes, stop: stopSurroundings } = await surroundings;
    closers.push({ name: 'surroundings', close: stopSurroundings });
    const address = await start(environment);
    const base = address.replace('0.0.0.0', '127.0.0.1').replace('[::]', '127.0.0.1');
    say(`Frontrow is up.\n  API      ${base}/v1\n  Swagger  ${base}/docs\n  Health   ${base}/readyz`);
    for (const note of notes) say(`  ${note}`);
  } catch (error) {
    explain(error as NodeJS.ErrnoException);
    await stop(1);
  }
}

/** Returns the address that it listens on. */
async function start(environment: Environment): Promise<string> {
  const config = readConfig(environment);
  deadlineSeconds = config.drainSeconds + config.shutdownSeconds;
  const log = pino({
    level: config.logLevel,
    redact: ['*.authorization', '*["queue-token"]', '*.token', '*.accessToken'],
  });

  const { postgres, redisConnection } = await connectStores(config, log);
  const ports = portsOf(config, log, postgres, redisConnection);
  const jobs = startJobs(ports, config.jobs, {
    failed: (job, err) => log.warn({ err, job }, 'job failed, will retry'),
    recovered: (job) => log.warn({ job }, 'job works again'),
  });
  closers.push({
    name: 'jobs',
    close: () => {
      const stopped = jobs.stop();
      // An answer may take longer than the shutdown. Aborted attempts are released.
      ports.webhookSender.close();
      return stopped;
    },
  });
  const joinCheck =
    config.joinCheck &&
    httpJoinCheck(config.joinCheck, (reason, count) => log.warn({ reason, count }, 'join check failed'));
  closers.push({ name: 'the join check', close: async () => joinCheck?.close() });
  const server = await createServer({
    ports,
    records: postgresRecords(postgres),
    settings: config.http,
    log,
    countCommands: redisCommandCounts(redisConnection.redis),
    checkJoin: joinCheck?.check,
    probes: { essential: { postgres: postgres.ping }, helpful: { redis: redisConnection.ping } },
    stopping: () => stopping !== undefined,
  });
  closers.push({ name: 'HTTP', close: () => server.close() });
  closers.push({ name: 'load balancers', close: () => setTimeout(config.drainSeconds * 1_000) });
  return server.listen({ host: config.http.host, port: config.http.port });
}

async function connectStores(config: Config, log: Logger) {
  if (config.migrateOnStart) await migrate(config.postgres.url);
  const postgres = connectPostgres(
    config.postgres,
    ({ message }) => log.warn({ reason: message }, 'Postgres connection lost, will retry'),
    () => log.warn('Postgres connection is back'),
  );
  closers.push({ name: 'Postgres', close: postgres.close });
  await checkFunctions(postgres);
  if (config.seedDemo) await seedDemo(postgres, config.http.currency);
  const redisConnection = await connectRedis(
    config.redis,
    ({ message }) => log.warn({ reason: message }, 'Redis connection lost, will retry'),
    () => log.warn('Redis connection is back'),
  );
  closers.push({ name: 'Redis', close: redisConnection.close });
  return { postgres, redisConnection };
}

function portsOf(config: Config, log: Logger, postgres: Postgres, { redis, subscribe }: RedisConnection) {
  const losses = lockLosses(log);
  closers.push({ name: 'the count of lost locks', close: async () => losses.stop() });

  const queueRecords = postgresQueueRecords(postgres);
  return {
    queue: redisQueue(redis, queueRecords, config.queue, subscribe),
    queueRecords,
    holdKeys: redisHoldKeys(redis),
    lock: redisLock(redis, losses.count),
    boxOffice: postgresBoxOffice(postgres),
    wallets: postgresWallets(postgres),
    concerts: postgresConcerts(postgres, config.policy),
    events: postgresEvents(postgres),
    eventStream: redisEventStream(redis, config.eventStream),
    webhooks: postgresWebhooks(postgres),
    deliveries: postgresDeliveries(postgres),
    webhookSender: httpWebhookSender(config.webhookSender),
    newId,
    reportError: (err: unknown) => log.error({ err }, 'error in a step that may fail'),
    random: Math.random,
    walletLimits: config.walletLimits,
  } satisfies Ports;
}

/**
 * Stops the start if SQL functions are missing, as no request could succeed. If Postgres is unavailable, `/readyz` keeps
 * checking.
 */
async function checkFunctions({ pool }: Postgres): Promise<void> {
  try {
    await requireFunctions(pool);
  } catch (error) {
    if (error instanceof FunctionsMissing) {
      throw new StartError(
        `${error.message}\nRun \`npm run db:migrate\` of this version first, for the service's role if it has one, or set MIGRATE_ON_START=true.`,
      );
    }
    if (!(error instanceof Refusal)) throw error;
  }
}

let deadlineSeconds = 8;

/**
 * Ends everything in reverse order: refuses new requests, finishes running ones, then stops jobs, stores and local
 * servers.
 */
function stop(exitCode: number): Promise<void> {
  stopping ??= (async () => {
    void setTimeout(deadlineSeconds * 1_000, undefined, { ref: false }).then(() => process.exit(1));
    for (const { name, close } of closers.toReversed()) {
      await close().catch((error: unknown) => console.error(`${name} did not end well:`, error));
    }
    process.exit(exitCode);
  })();
  return stopping;
}

function explain(error: NodeJS.ErrnoException): void {
  if (error instanceof StartError) console.error(error.message);
  else if (error.code === 'EADDRINUSE')
    console.error(`${error.message}\nAnother program uses this port. Set PORT to a free one.`);
  else if (error.code === 'ECONNREFUSED' || error.code === 'ENOTFOUND')
    console.error(`Postgres cannot be reached (${error.code}). Is it up, and is DATABASE_URL right?`);
  else console.error(error);
}

if (import.meta.main) {
  if (existsSync('.env')) process.loadEnvFile();
  void run(Promise.resolve({ environment: process.env, notes: [], stop: async () => {} }));
}
