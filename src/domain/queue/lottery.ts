/** What everybody may know of a concert's lots. */
export type Lottery = {
  /** In hexadecimal; public before anybody registers, so that the seed cannot be picked afterwards. */
  readonly seedSha256: string;
  /** Once the lots are drawn: with these anybody can draw them again. */
  readonly drawn?: { readonly seed: string; readonly count: number; readonly at: Date };
};

/** Who has which place once lots are drawn among `count` people, who registered as 1, 2, …. */
export type DrawOrder = {
  /** At n - 1: the place, from 1, of the person who registered as n. */
  readonly order: Uint32Array;
  /** At p - 1: as what the person at place p registered. */
  readonly registered: Uint32Array;
};

export type Sha256 = (input: Uint8Array) => Uint8Array;

const WORD_VALUES = 2 ** 32;
const COUNTER_BYTES = 8;
const WORDS_PER_BLOCK = 8;
/** As many as are placed within a few milliseconds. */
const PLACED_PER_STEP = 16_384;

/**
 * 32-bit words that are random to whoever does not know the seed and the same for whoever does: block i = 0, 1, … is the
 * SHA-256 of the seed followed by i in eight bytes, and is read as eight words. All numbers are big-endian.
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
 * Draws lots: a Fisher–Yates shuffle of the places 1 to `count`, from the last one down. `i` is swapped with one of 1 to
 * `i`: with 1 + (word mod i), words of the incomplete last round of i being skipped, so that each is as likely as the others.
 *
 * Yields every few milliseconds, for the caller to let others do something.
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
