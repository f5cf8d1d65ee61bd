/** The public part of a concert's lottery. */
export type Lottery = {
  /** In hexadecimal. Published before anybody registers, so that the seed cannot be chosen afterwards. */
  readonly seedSha256: string;
  /** Present once lots are drawn. Anybody can repeat the draw from it. */
  readonly drawn?: { readonly seed: string; readonly count: number; readonly at: Date };
};

/** The result of a draw among `count` entries, registered as 1, 2, …. */
export type DrawOrder = {
  /** At n - 1: the rank, from 1, of the entry registered as n. */
  readonly order: Uint32Array;
  /** At p - 1: the registration number of the entry with rank p. */
  readonly registered: Uint32Array;
};

export type Sha256 = (input: Uint8Array) => Uint8Array;

const WORD_VALUES = 2 ** 32;
const COUNTER_BYTES = 8;
const WORDS_PER_BLOCK = 8;
/** Yields after this many steps, a few milliseconds of work. */
const PLACED_PER_STEP = 16_384;

/**
 * 32-bit words, random without the seed and reproducible with it. Block i = 0, 1, … is the SHA-256 of the seed followed
 * by i in eight bytes, read as eight words. All numbers are big-endian.
 */
export function wordsFrom(seed: Uint8Array, sha256: Sha256): () => number {
  const input = new Uint8Array(seed.length + COUNTER_BYTES);
  input.set(seed);
  const counter = new DataView(input.buffer, seed.length);
  let blocks = 0n;
  let block: DataView = counter;
  let read = WORDS_PER_BLOCK;

  return () => {
    if (read === WORDS_PER_BLOCK) {
      counter.setBigUint64(0, blocks);
      blocks += 1n;
      const digest = sha256(input);
      block = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
      read = 0;
    }
    return block.getUint32(4 * read++);
  };
}

/**
 * Draws lots: a Fisher–Yates shuffle of the ranks 1 to `count`, from the last one down. Rank `i` is swapped with rank 1
 * + (word mod i). Words of the incomplete last round of i are skipped, so that all results are equally likely.
 *
 * Yields every few milliseconds, so that the caller can serve others.
 */
export function* drawOrder(count: number, nextWord: () => number): Generator<undefined, DrawOrder> {
  const order = new Uint32Array(count);
  for (let index = 0; index < count; index++) order[index] = index + 1;
  for (let last = count - 1; last > 0; last--) {
    const other = below(last + 1, nextWord);
    const state = order[last] as number;
    order[last] = order[other] as number;
    order[other] = state;
    if (last % PLACED_PER_STEP === 0) yield;
  }
  const registered = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    registered[(order[index] as number) - 1] = index + 1;
    if (index % PLACED_PER_STEP === 0) yield;
  }
  return { order, registered };
}

/** Uniform in 0 to `bound` - 1. */
function below(bound: number, nextWord: () => number): number {
  const wholeRounds = WORD_VALUES - (WORD_VALUES % bound);
  for (;;) {
    const word = nextWord();
    if (word < wholeRounds) return word % bound;
  }
}
