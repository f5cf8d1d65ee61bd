import type { Pool } from 'pg';
import { v7 as newId } from 'uuid';
import { postgresBoxOffice } from '#adapters/postgres/box-office.ts';
import { postgresConcerts } from '#adapters/postgres/concerts.ts';
import { postgresDeliveries } from '#adapters/postgres/deliveries.ts';
import { postgresEvents } from '#adapters/postgres/events.ts';
import { postgresLines } from '#adapters/postgres/lines.ts';
import { postgresWallets } from '#adapters/postgres/wallets.ts';
import { postgresWebhooks } from '#adapters/postgres/webhooks.ts';
import { connectRedis } from '#adapters/redis/client.ts';
import { redisEventStream } from '#adapters/redis/event-stream.ts';
import { redisLock } from '#adapters/redis/lock.ts';
import type { RedisClient } from '#adapters/redis/redis-client.ts';
import { redisSeatHolds } from '#adapters/redis/seat-holds.ts';
import { redisWaitingRoom } from '#adapters/redis/waiting-room.ts';
import { httpCourier } from '#adapters/webhooks/courier.ts';
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
  const lines = postgresLines(postgres);
  return {
    ports: {
      waitingRoom: redisWaitingRoom(redis, lines, { rebuildSeconds: 60 }, subscribe),
      lines,
      seatHolds: redisSeatHolds(redis),
      lock: redisLock(redis, ignore),
      boxOffice: postgresBoxOffice(postgres),
      wallets: postgresWallets(postgres),
      concerts: postgresConcerts(postgres, { ...POLICY, activeMax: 100, waitingMax: 10_000 }),
      events: postgresEvents(postgres),
      eventStream: redisEventStream(redis, { lengthMax: 100_000 }),
      webhooks: postgresWebhooks(postgres),
      deliveries: postgresDeliveries(postgres),
      courier: httpCourier({ timeoutMs: 5_000, allowNetworks: ['127.0.0.0/8'] }),
      newId,
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
