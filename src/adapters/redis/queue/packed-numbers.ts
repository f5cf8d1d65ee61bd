// Numbers of entries as Redis keeps them: an array of 4-byte big-endian integers.

const NUMBER_BYTES = 4;

export function packNumbers(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * NUMBER_BYTES);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, index * NUMBER_BYTES);
  return bytes;
}

export function unpackNumbers(bytes: Buffer): number[] {
  return Array.from({ length: Math.floor(bytes.length / NUMBER_BYTES) }, (_, index) =>
    bytes.readUInt32BE(index * NUMBER_BYTES),
  );
}
