import { batched } from '#adapters/memory/batch.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { commandCountKey, commandCountTag } from '#adapters/redis/keys.ts';
import { run, scripts } from '#adapters/redis/scripts.ts';
import type { CountCommands, Counted, Counting } from '#ports/booking/command-counts.ts';

/** Bounds one run of the script. Redis works on a batch while the next one is being read. */
const BATCH_MAX = 100;

export function redisCommandCounts(redis: RedisClient): CountCommands {
  // In a cluster, all keys of a script must be on one node.
  const partOf = redis.isCluster ? commandCountTag : () => 0;
  const countTogether = batched(
    ({ part, command, windowMs }: Counting & { readonly part: number }) => `${part} ${windowMs} ${command}`,
    async ({ command, windowMs }, clients: readonly string[]): Promise<Counted[]> => {
      const keys = clients.map((client) => commandCountKey(client, command));
      const figures = await run(redis, scripts.count, keys, { windowMs });
      return clients.map((_, i) => ({ count: figures[2 * i] ?? 0, remainingMs: figures[2 * i + 1] ?? 0 }));
    },
    BATCH_MAX,
  );

  return (client, { command, windowMs }) => countTogether({ command, windowMs, part: partOf(client) }, client);
}
