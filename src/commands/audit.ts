// npm run audit
import { connectRedis } from '#adapters/redis/client/connect-redis.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { redisServersOf } from '#config/redis-servers.ts';
import { auditBooks, type Violation } from './audits/audit-books.ts';
import { auditHoldKeys } from './audits/audit-hold-keys.ts';
import { runSweep } from './audits/command.ts';
import { books, eventNumbers, events, outbox } from './audits/invariants.ts';

const COMMAND_TIMEOUT_MS = 5_000;

await runSweep('audit', async (pool, redisUrl) => {
  const { counts, violations } = await auditBooks(pool, [...books, outbox, events, eventNumbers]);
  const keys = redisUrl === undefined ? undefined : await withRedis(redisUrl, (redis) => auditHoldKeys(pool, redis));
  const wrong = [...violations, ...(keys?.violations ?? [])];
  return {
    lines: [
      `seats sold       ${counts.seatsSold}`,
      `seats held       ${counts.seatsHeld}`,
      `reservations     ${counts.reservations}`,
      `payments         ${counts.payments}`,
      `refunds          ${counts.refunds}`,
      `transactions     ${counts.transactions}`,
      `wallets          ${counts.wallets}`,
      `outbox           ${counts.outbox}`,
      `events waiting   ${counts.eventsWaiting}`,
      `seats free       ${keys === undefined ? 'hold keys not compared: REDIS_URL is not set' : keys.free}`,
      ...wrong.flatMap(shown),
      wrong.length === 0 ? 'clean' : 'NOT CLEAN',
    ],
    exitCode: wrong.length === 0 ? 0 : 1,
  };
});

async function withRedis<T>(url: string, audit: (redis: RedisClient) => Promise<T>): Promise<T> {
  // The command that needs a lost connection fails.
  const { redis, close } = await connectRedis(
    { ...redisServersOf(url), commandTimeoutMs: COMMAND_TIMEOUT_MS },
    () => {},
  );
  try {
    return await audit(redis);
  } finally {
    await close();
  }
}

function shown({ invariant, count, first }: Violation): string[] {
  const lines = [`NOT SO: ${invariant} (${count})`, ...first.map((found) => `  ${found}`)];
  return count > first.length ? [...lines, `  … and ${count - first.length} more`] : lines;
}
