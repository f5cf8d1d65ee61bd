import { expect, test } from 'vitest';
import { expectSameDecisions, expectWithinLimits } from '#tests/contracts/admission-model.ts';
import { openRedis } from '#tests/support/open-redis.ts';

const { redis } = await openRedis();

test('the scripts decide as the domain does, on random histories and through changes of the policy', () =>
  expectSameDecisions(redis, { numRuns: 800 }));

test('no window has more admissions than the policy allows, and no moment more active entries', async () => {
  expect(await expectWithinLimits(redis, { numRuns: 250 })).toBeGreaterThan(20);
});
