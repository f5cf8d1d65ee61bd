import { afterAll, expect, inject, test } from 'vitest';
import { changedCopy } from '#tests/support/changed-copy.ts';
import { removals } from './removals.ts';
import { testsIn } from './tests-in-copy.ts';

// npm run test:controls: takes guards away, one after the other, from a copy of the sources, runs tests of the suite there,
// and says which of them caught it. Those that have to are known by name, and pass where nothing was taken away.

const servers = { databaseUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') };
const lines: string[] = [];
afterAll(() => {
  process.stdout.write(`\nremoved guard → tests that caught it\n${lines.join('\n')}\n`);
});

test('with all guards there, every test passes that has to catch something', async () => {
  const copy = await changedCopy([]);
  try {
    const tests = [...new Set(removals.flatMap((removal) => removal.tests))];
    const catching = removals.flatMap(({ caughtBy }) => caughtBy);
    const { failed, passed } = await testsIn(copy, { tests, named: catching.join('|') }, servers);
    expect(failed).toEqual([]);
    expect(notAmong(passed, catching)).toEqual([]);
  } finally {
    await copy.remove();
  }
});

test.concurrent.each(removals)('without the $without, a test fails', async (removal) => {
  const copy = await changedCopy(removal.changes);
  try {
    const { failed, passed } = await testsIn(copy, removal, servers);
    const caught = failed.length === 0 ? ['NONE'] : failed;
    lines.push(
      `\n${removal.without}${removal.note === '' ? '' : ` (${removal.note})`}`,
      ...caught.map((one) => `  → ${one}`),
    );
    expect(notAmong(failed, removal.caughtBy), 'tests that did not catch it').toEqual([]);
    // Where nothing works at all, nothing was caught.
    expect(passed, 'tests that still pass').not.toEqual([]);
  } finally {
    await copy.remove();
  }
});

/** Those of these parts that no name has. */
function notAmong(names: readonly string[], parts: readonly string[]): string[] {
  return parts.filter((part) => !names.some((name) => name.includes(part)));
}
