import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { commandCountKey, commandCountTag } from '#adapters/redis/keys.ts';
import { gather } from '#adapters/redis/queue/gather.ts';
import { run, scripts } from '#adapters/redis/scripts.ts';
import type { CountCommands, Counted, Counting } from '#ports/booking/command-counts.ts';

/** Keeps a script short, and has a crowd sent in parts: Redis is at work on the first while the others are still being read. */
const BATCH_MAX = 100;

/** Those that come in the same moment cost Redis a script or a few, not one each. */
export function redisCommandCounts(redis: RedisClient): CountCommands {
  // In a cluster a script finds all of its keys on one node only.
  const partOf = redis.isCluster ? commandCountTag : () => 0;
  const countTogether = gather(
    ({ part, command, windowMs }: Counting & { readonly part: number }) => `${part} ${windowMs} ${command}`,
    async ({ command, windowMs }, clients: readonly string[]): Promise<Counted[]> => {
      const keys = clients.map((client) => commandCountKey(client, command));
      const figures = await run(redis, scripts.count, keys, windowMs);
      return clients.map((_, i) => ({ count: figures[2 * i] ?? 0, remainingMs: figures[2 * i + 1] ?? 0 }));
    },
    BATCH_MAX,
  );

  return (client, { command, windowMs }) => countTogether({ command, windowMs, part: partOf(client) }, client);
}
