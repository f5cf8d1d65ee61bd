import { test } from 'vitest';
import { askAtRandom, startTarget } from '#tests/support/fuzz/ask-at-random.ts';

// With another FUZZ_SEED something else is asked. `tests/heavy/schema-fuzz.test.ts` asks thousands, each time others.

const seed = Number(process.env.FUZZ_SEED ?? 20_261_130);
const target = await startTarget();

test('random requests are answered as documented', async () => {
  await askAtRandom(target, { seed, requests: 200 });
});
