import { gather } from './gather.ts';
import { commandCountKey, commandCountTag } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { run, scripts } from './scripts.ts';

type Counting = { readonly command: string; readonly windowMs: number; readonly max: number };
type Counted = { readonly count: number; readonly remainingMs: number };

/** Keeps a script short. */
const BATCH_MAX = 32;

/**
 * Counts the commands of clients over all instances, in windows that begin with a client's first command. Those that come in the
 * same moment cost Redis a few scripts, not one each. Tells for how long the window goes on only where the count is above `max`.
 */
export function redisCommandCounts(redis: RedisClient): (client: string, counting: Counting) => Promise<Counted> {
  const countTogether = gather(
    ({ tag, command, windowMs, max }: Counting & { readonly tag: number }) => `${tag} ${windowMs} ${max} ${command}`,
    ({ command, windowMs, max }, clients: readonly string[]) => {
      const keys = clients.map((client) => commandCountKey(client, command));
      return run(redis, scripts.count, keys, windowMs, max);
    },
    BATCH_MAX,
  );

  return async (client, counting) => {
    const [count, remainingMs] = await countTogether({ ...counting, tag: commandCountTag(client) }, client);
    return { count, remainingMs };
  };
}
