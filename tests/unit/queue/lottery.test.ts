import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DrawOrder, drawOrder, type Sha256, wordsFrom } from '#domain/queue/lottery.ts';

const sha256: Sha256 = (input) => createHash('sha256').update(input).digest();
const SEED = Uint8Array.from({ length: 32 }, (_, index) => index);
const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const counts = fc.integer({ min: 0, max: 2_000 });

/** To the end, in one go. */
function drawn(count: number, nextWord: () => number): DrawOrder {
  const drawing = drawOrder(count, nextWord);
  for (let step = drawing.next(); ; step = drawing.next()) if (step.done) return step.value;
}
const draw = (seed: Uint8Array, count: number) => drawn(count, wordsFrom(seed, sha256));

/** The words one after the other; there are no more than these. */
function wordsOf(...words: readonly number[]): () => number {
  const left = [...words];
  return () => {
    const word = left.shift();
    if (word === undefined) throw new RangeError('out of words');
    return word;
  };
}

describe('drawing lots', () => {
  it('gives each rank to one entry and each entry one rank', () => {
    fc.assert(
      fc.property(seeds, counts, (seed, count) => {
        const { order, registered } = draw(seed, count);
        const everyone = Array.from({ length: count }, (_, index) => index + 1);
        expect([...order].sort((a, b) => a - b)).toEqual(everyone);
        expect([...registered].map((person) => order[person - 1])).toEqual(everyone);
      }),
      { numRuns: 50 },
    );
  });

  it('gives the same order for the same seed and count, and another for another seed', () => {
    fc.assert(
      fc.property(seeds, seeds, fc.integer({ min: 100, max: 500 }), (seed, other, count) => {
        fc.pre(seed.some((byte, index) => byte !== other[index]));
        expect(draw(seed, count)).toEqual(draw(seed, count));
        expect(draw(seed, count).order).not.toEqual(draw(other, count).order);
      }),
      { numRuns: 50 },
    );
  });

  // Made by a program in another language, from the description alone.
  it('gives the order that an independent implementation computes', () => {
    expect([...draw(SEED, 20).order]).toEqual([10, 2, 3, 14, 9, 18, 11, 12, 19, 7, 17, 5, 8, 4, 20, 6, 1, 16, 15, 13]);
    const many = draw(SEED, 100_000).order;
    const bytes = new DataView(new ArrayBuffer(4 * many.length));
    for (const [index, state] of many.entries()) bytes.setUint32(4 * index, state);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(
      '5a644ed9f7711633351b665d63e7bce49fcb93fc94ae637d05dda9de09070930',
    );
  });

  it('makes every order equally likely', () => {
    const DRAWS = 24_000;
    const seen = new Map<string, number>();
    for (let number = 0; number < DRAWS; number++) {
      const { order } = draw(sha256(Buffer.from(`draw ${number}`)), 4);
      seen.set(order.join(), (seen.get(order.join()) ?? 0) + 1);
    }
    const expected = DRAWS / 24;
    const chiSquare = [...seen.values()].reduce((sum, times) => sum + (times - expected) ** 2 / expected, 0);
    expect(seen.size).toBe(24);
    // Of 23 degrees of freedom: fair lots are beyond it once in a thousand times, and these are always the same.
    expect(chiSquare).toBeLessThan(49.7);
  });

  it('skips the words that would make some ranks likelier', () => {
    // Three divides 2^32 - 1 numbers evenly, not 2^32.
    const last = 2 ** 32 - 1;
    expect(drawn(3, wordsOf(last, last, 1, 0))).toEqual(drawn(3, wordsOf(1, 0)));
    expect(drawn(3, wordsOf(last - 1, 0))).toEqual(drawn(3, wordsOf(2, 0)));
    expect(drawn(2, wordsOf(last))).toEqual(drawn(2, wordsOf(1)));
  });

  it('needs no word for one entry or none', () => {
    expect(drawn(1, wordsOf())).toEqual({ order: Uint32Array.of(1), registered: Uint32Array.of(1) });
    expect(drawn(0, wordsOf()).order).toHaveLength(0);
  });

  it('yields every few thousand entries', () => {
    const words = wordsFrom(SEED, sha256);
    let inThisStep = 0;
    let most = 0;
    const drawing = drawOrder(100_000, () => {
      inThisStep += 1;
      return words();
    });
    for (let step = drawing.next(); !step.done; step = drawing.next()) {
      most = Math.max(most, inThisStep);
      inThisStep = 0;
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(20_000);
    expect(inThisStep).toBe(0);
  });
});

describe('the words of a seed', () => {
  it('are the SHA-256 of the seed and a counter of eight bytes, big-endian', () => {
    const words = wordsFrom(SEED, sha256);
    for (const block of [0, 1, 2]) {
      const digest = createHash('sha256')
        .update(SEED)
        .update(Buffer.from([0, 0, 0, 0, 0, 0, 0, block]))
        .digest();
      const expected = Array.from({ length: 8 }, (_, index) => digest.readUInt32BE(4 * index));
      expect(Array.from({ length: 8 }, words)).toEqual(expected);
    }
  });
});
