import { afterAll, inject } from 'vitest';
import { connectRedis, type RedisConnection } from '#adapters/redis/client/connect-redis.ts';
import type { RedisSettings } from '#adapters/redis/client/open-client.ts';
import { until } from './until.ts';

/** A minute: a test of a timeout sets its own, on a Redis that does not answer. */
const TIMEOUT_MS = 60_000;

/** What is lost between commands is reported by the next command. */
const ignore = () => {};

/**
 * A connection of the service's own kind, by default to the Redis of the run, whose timeout no slow machine meets by itself.
 * It is closed with the test file. Called at the top of a file, where hooks are registered.
 */
export async function openRedis(
  settings: Omit<RedisSettings, 'commandTimeoutMs'> = { url: inject('redisUrl') },
): Promise<RedisConnection> {
  const connection = await connectRedis({ ...settings, commandTimeoutMs: TIMEOUT_MS } as RedisSettings, ignore);
  afterAll(connection.close);
  await until('the connection to Redis is ready', () => connection.redis.status === 'ready');
  return connection;
}
