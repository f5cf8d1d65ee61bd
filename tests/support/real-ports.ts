import type { Pool } from 'pg';
import { v7 as newId } from 'uuid';
import { postgresBoxOffice } from '#adapters/postgres/booking/box-office.ts';
import { postgresConcerts } from '#adapters/postgres/catalog/concerts.ts';
import { postgresDeliveries } from '#adapters/postgres/events/deliveries.ts';
import { postgresEvents } from '#adapters/postgres/events/events.ts';
import { postgresWebhooks } from '#adapters/postgres/events/webhooks.ts';
import { postgresQueueRecords } from '#adapters/postgres/queue/postgres-queue-records.ts';
import { postgresWallets } from '#adapters/postgres/wallet/wallets.ts';
import { connectRedis } from '#adapters/redis/client/connect-redis.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { redisEventStream } from '#adapters/redis/events/event-stream.ts';
import { redisQueue } from '#adapters/redis/queue/redis-queue.ts';
import { redisHoldKeys } from '#adapters/redis/seats/redis-hold-keys.ts';
import { redisLock } from '#adapters/redis/seats/redis-lock.ts';
import { httpWebhookSender } from '#adapters/webhooks/webhook-sender.ts';
import type { Ports } from '#ports/index.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { openPostgres } from './open-postgres.ts';

export type RealPorts = {
  readonly ports: Ports;
  readonly redis: RedisClient;
  readonly pool: Pool;
  close(): Promise<void>;
};

/** The ports of one instance without the instance around them: connections of its own, for tests that swap a port. */
export async function realPorts(databaseUrl: string, redisUrl: string): Promise<RealPorts> {
  // What is lost between commands is reported by the next command.
  const ignore = () => {};
  const postgres = openPostgres(databaseUrl);
  const {
    redis,
    subscribe,
    close: closeRedis,
  } = await connectRedis({ url: redisUrl, commandTimeoutMs: 60_000 }, ignore);
  const queueRecords = postgresQueueRecords(postgres);
  return {
    ports: {
      queue: redisQueue(redis, queueRecords, { rebuildSeconds: 60 }, subscribe),
      queueRecords,
      holdKeys: redisHoldKeys(redis),
      lock: redisLock(redis, ignore),
      boxOffice: postgresBoxOffice(postgres),
      wallets: postgresWallets(postgres),
      concerts: postgresConcerts(postgres, { ...POLICY, activeMax: 100, waitingMax: 10_000 }),
      events: postgresEvents(postgres),
      eventStream: redisEventStream(redis, { lengthMax: 100_000 }),
      webhooks: postgresWebhooks(postgres),
      deliveries: postgresDeliveries(postgres),
      webhookSender: httpWebhookSender({ timeoutMs: 5_000, allowNetworks: ['127.0.0.0/8'] }),
      newId,
      reportError: raise,
      random: Math.random,
      walletLimits: { chargeMin: 1, chargeMax: 1_000_000, balanceMax: 1_000_000_000 },
    },
    redis,
    pool: postgres.pool,
    async close() {
      await closeRedis();
      await postgres.close();
    },
  };
}

function raise(error: unknown): never {
  throw error;
}
