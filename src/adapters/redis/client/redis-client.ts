import type { Cluster, Redis } from 'ioredis';

/** One server, a primary behind sentinels, or a cluster. */
export type RedisClient = Redis | Cluster;
