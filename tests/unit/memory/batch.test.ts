import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { batched } from '#adapters/memory/batch.ts';

const BATCH_MAX = 3;

function gathering() {
  const batches: { readonly key: string; readonly items: readonly number[] }[] = [];
  const ask = batched(
    (key: string) => key,
    async (key, items: readonly number[]) => {
      batches.push({ key, items });
      if (items.includes(13)) throw new Error('unlucky');
      return items.map((item) => `${key}${item}`);
    },
    BATCH_MAX,
  );
  return { ask, batches };
}

test('calls of one turn share a batch, in order, and each gets its own answer', async () => {
  const { ask, batches } = gathering();
  const answers = await Promise.all([ask('a', 1), ask('b', 2), ask('a', 3)]);
  expect(answers).toEqual(['a1', 'b2', 'a3']);
  expect(batches).toEqual([
    { key: 'a', items: [1, 3] },
    { key: 'b', items: [2] },
  ]);
});

test('a batch has at most its limit of calls', async () => {
  const { ask, batches } = gathering();
  await Promise.all([1, 2, 3, 4].map((item) => ask('a', item)));
  expect(batches.map(({ items }) => items)).toEqual([[1, 2, 3], [4]]);
});

test('a full batch is sent at once, and the rest at the end of the turn', async () => {
  const { ask, batches } = gathering();
  const answers = Promise.all([1, 2, 3, 4].map((item) => ask('a', item)));
  expect(batches).toEqual([{ key: 'a', items: [1, 2, 3] }]);
  await turn();
  expect(batches).toHaveLength(2);
  expect(await answers).toEqual(['a1', 'a2', 'a3', 'a4']);
});

test('a call of a later turn is sent later', async () => {
  const { ask, batches } = gathering();
  const first = ask('a', 1);
  await turn();
  await Promise.all([first, ask('a', 2)]);
  expect(batches).toHaveLength(2);
});

test('a failing batch fails for all its callers, and for no others', async () => {
  const { ask } = gathering();
  const outcomes = await Promise.allSettled([ask('a', 1), ask('a', 13), ask('b', 2)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
});
