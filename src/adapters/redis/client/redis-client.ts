import type { Cluster, Redis } from 'ioredis';

/** Speaks to Redis, whether that is one server, a primary that sentinels watch over, or a cluster. */
export type RedisClient = Redis | Cluster;
