import type { CountCommands, Counted, Counting } from '#ports/command-counts.ts';
import { gather } from './gather.ts';
import { commandCountKey, commandCountTag } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { run, scripts } from './scripts.ts';

/** Keeps a script short, and has a crowd sent in parts: Redis is at work on the first while the others are still being read. */
const BATCH_MAX = 32;

/** Those that come in the same moment cost Redis a few scripts, not one each. */
export function redisCommandCounts(redis: RedisClient): CountCommands {
  const countTogether = gather(
    ({ tag, command, windowMs }: Counting & { readonly tag: number }) => `${tag} ${windowMs} ${command}`,
    async ({ command, windowMs }, clients: readonly string[]): Promise<Counted[]> => {
      const keys = clients.map((client) => commandCountKey(client, command));
      const figures = await run(redis, scripts.count, keys, windowMs);
      return clients.map((_, i) => ({ count: figures[2 * i] ?? 0, remainingMs: figures[2 * i + 1] ?? 0 }));
    },
    BATCH_MAX,
  );

  return (client, { command, windowMs }) => countTogether({ command, windowMs, tag: commandCountTag(client) }, client);
}
