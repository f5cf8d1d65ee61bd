import { afterAll, expect, inject, test } from 'vitest';
import { rush } from '#tests/load/rush/rush.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';

// `npm run load:line` in small: the same people, the same verdict.

const PLAN = { fans: 2_000, arrivalSeconds: 3, instances: 3, activeMax: 300, absentSeconds: 5, secondsMax: 240 };

const databaseUrl = await freshDatabase();
const ending = new AsyncDisposableStack();
afterAll(() => ending.disposeAsync());

test('a rush of 2,000 users, with an instance killed: nobody is overtaken, lost or admitted twice, and no limit is exceeded', async () => {
  const nothing = () => {};
  const grounds = { databaseUrl, redisUrl: inject('redisUrl'), say: nothing, onProgress: nothing };
  const { checks, crowd, refillMs } = await rush(PLAN, grounds, ending);

  expect(checks.filter(({ offences }) => offences > 0)).toEqual([]);
  // All that the verdict is about has taken place.
  const ended = (ending: string) => crowd.records.filter((record) => record.ending === ending).length;
  expect(ended('looked') + ended('bought') + ended('left')).toBe(PLAN.fans);
  for (const count of [ended('bought'), ended('left'), crowd.counts['join 200'], crowd.retries, refillMs.length]) {
    expect(count).toBeGreaterThan(0);
  }
});
