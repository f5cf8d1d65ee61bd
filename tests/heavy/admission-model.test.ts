import { expect, test } from 'vitest';
import { expectSameDecisions, expectWithinLimits } from '#tests/contracts/admission-model.ts';
import { openRedis } from '#tests/support/open-redis.ts';

const { redis } = await openRedis();

test('the scripts decide as the domain does, whatever happens, and however the policy changes meanwhile', () =>
  expectSameDecisions(redis, { numRuns: 800 }));

test('in no window more are let in than the policy allows, and at no time more are in', async () => {
  expect(await expectWithinLimits(redis, { numRuns: 250 })).toBeGreaterThan(20);
});
