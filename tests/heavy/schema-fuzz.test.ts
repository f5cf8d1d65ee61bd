import { test } from 'vitest';
import { askAtRandom, startTarget } from '#tests/support/fuzz/ask-at-random.ts';

// With the FUZZ_SEED that is printed the same is asked again. FUZZ_REQUESTS says how much.

const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const requests = Number(process.env.FUZZ_REQUESTS ?? 2_000);
/** Ends a hang: it takes half a minute on a machine at rest. */
const LIMIT_MS = 1_800_000;
const target = await startTarget();

test(`random requests are answered as documented (FUZZ_SEED=${seed})`, { timeout: LIMIT_MS }, async () => {
  await askAtRandom(target, { seed, requests });
});
