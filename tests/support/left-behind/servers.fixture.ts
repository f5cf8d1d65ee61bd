import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ownPostgres } from '#tests/support/own-postgres.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { temporaryDir } from '#tests/support/temporary-dir.ts';
import { until } from '#tests/support/until.ts';
import { startWorld } from '#tests/support/world.ts';

// No test of the suite: `leaves-nothing.ts` runs this, and ends it once all is up.

const { UP_FILE = '', END = '' } = process.env;

const [redis, postgres] = await Promise.all([ownRedis(), ownPostgres()]);
const world = await startWorld({ instances: 1, redisUrl: redis.url, databaseUrl: postgres.url });
await temporaryDir();
await world.untilReady();
await writeFile(UP_FILE, '');
await until('the test that started this run has seen that all is up', () => !existsSync(UP_FILE));

test('ends as it is told to', async () => {
  if (END === 'a test that fails') expect(END).toBe('a test that passes');
  // The signal or the time limit ends it.
  else await new Promise(() => {});
});
