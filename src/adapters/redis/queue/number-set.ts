/** A set of positive integers, a bit each, that counts its members in a range at once. */
export type NumberSet = {
  has(number: number): boolean;
  add(number: number): void;
  /** How many members lie in [from, to). */
  countBetween(from: number, to: number): number;
  [Symbol.iterator](): Iterator<number>;
};

const BYTES_MIN = 1_024;
/** Members are counted block by block: a range costs two sums and the bits of two blocks, once the sums are up to date. */
const BLOCK_BYTES = 32;
const BITS_OF = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);

export function numberSet(): NumberSet {
  let bits = new Uint8Array(BYTES_MIN);
  /** Members in all blocks before each. Valid up to the first block that changed since. */
  let before = new Uint32Array(BYTES_MIN / BLOCK_BYTES + 1);
  let changed = 0;

  const has = (number: number) => ((bits[number >> 3] ?? 0) & (1 << (number & 7))) !== 0;

  function grow(byte: number): void {
    const length = 2 ** Math.ceil(Math.log2(byte + 1));
    const grown = new Uint8Array(length);
    grown.set(bits);
    bits = grown;
    before = new Uint32Array(length / BLOCK_BYTES + 1);
    changed = 0;
  }

  function sum(fromByte: number, toByte: number): number {
    let count = 0;
    for (let byte = fromByte; byte < toByte; byte++) count += BITS_OF[bits[byte] ?? 0] ?? 0;
    return count;
  }

  function sumBlocks(): void {
    const blocks = before.length - 1;
    for (let block = changed; block < blocks; block++) {
      before[block + 1] = (before[block] ?? 0) + sum(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
    }
    changed = blocks;
  }

  function countBelow(number: number): number {
    const byte = Math.min(number >> 3, bits.length);
    const block = Math.floor(byte / BLOCK_BYTES);
    const rest = (bits[byte] ?? 0) & ((1 << (number & 7)) - 1);
    return (before[block] ?? 0) + sum(block * BLOCK_BYTES, byte) + (BITS_OF[rest] ?? 0);
  }

  return {
    has,
    add(number) {
      const byte = number >> 3;
      if (byte >= bits.length) grow(byte);
      bits[byte] = (bits[byte] ?? 0) | (1 << (number & 7));
      changed = Math.min(changed, Math.floor(byte / BLOCK_BYTES));
    },
    countBetween(from, to) {
      if (to <= from) return 0;
      sumBlocks();
      return countBelow(to) - countBelow(from);
    },
    *[Symbol.iterator]() {
      for (let number = 1; number < bits.length * 8; number++) if (has(number)) yield number;
    },
  };
}
