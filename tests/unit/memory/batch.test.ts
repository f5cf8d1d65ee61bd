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

test('those of one turn are asked for together, in their order, and each has its own answer', async () => {
  const { ask, batches } = gathering();
  const answers = await Promise.all([ask('a', 1), ask('b', 2), ask('a', 3)]);
  expect(answers).toEqual(['a1', 'b2', 'a3']);
  expect(batches).toEqual([
    { key: 'a', items: [1, 3] },
    { key: 'b', items: [2] },
  ]);
});

test('no more than a batch may hold go together', async () => {
  const { ask, batches } = gathering();
  await Promise.all([1, 2, 3, 4].map((item) => ask('a', item)));
  expect(batches.map(({ items }) => items)).toEqual([[1, 2, 3], [4]]);
});

test('a full batch goes at once, and whoever is left of the crowd when the turn is over', async () => {
  const { ask, batches } = gathering();
  const answers = Promise.all([1, 2, 3, 4].map((item) => ask('a', item)));
  expect(batches).toEqual([{ key: 'a', items: [1, 2, 3] }]);
  await turn();
  expect(batches).toHaveLength(2);
  expect(await answers).toEqual(['a1', 'a2', 'a3', 'a4']);
});

test('who comes in a later turn is asked for later', async () => {
  const { ask, batches } = gathering();
  const first = ask('a', 1);
  await turn();
  await Promise.all([first, ask('a', 2)]);
  expect(batches).toHaveLength(2);
});

test('a batch that fails fails for all who are in it, and for nobody else', async () => {
  const { ask } = gathering();
  const outcomes = await Promise.allSettled([ask('a', 1), ask('a', 13), ask('b', 2)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
});
