import { afterAll, expect, inject, test } from 'vitest';
import { crippledCopy, testsIn } from './crippled-copy.ts';
import { removals } from './removals.ts';

// npm run test:controls: takes guards away, one after the other, from a copy of the sources, runs tests of the suite there,
// and says which of them caught it.

const servers = { databaseUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') };
const lines: string[] = [];
afterAll(() => {
  process.stdout.write(`\nremoved guard → tests that caught it\n${lines.join('\n')}\n`);
});

test.each(removals)('without the $without, a test fails', async (removal) => {
  const copy = await crippledCopy(removal);
  try {
    const { failed, passed } = await testsIn(copy, removal, servers);
    const caught = failed.length === 0 ? ['NONE'] : failed;
    lines.push(
      `\n${removal.without}${removal.note === '' ? '' : ` (${removal.note})`}`,
      ...caught.map((one) => `  → ${one}`),
    );
    expect(failed, 'tests that caught it').not.toEqual([]);
    // Where nothing works at all, nothing was caught.
    expect(passed, 'tests that still pass').not.toEqual([]);
  } finally {
    await copy.remove();
  }
});
