import { randomFillSync, randomInt } from 'node:crypto';
import { v7 } from 'uuid';

const ID_BYTES = 16;
/** Asked for at once, because the call takes longer than all else about an id. */
const pool = new Uint8Array(256 * ID_BYTES);
let used = pool.length;
/** 32 bits, begun anywhere: of the ids of one millisecond the later one is the larger. */
let sequence = randomInt(2 ** 32);

/** A new id: a UUID of version 7 (RFC 9562), which begins with the time. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + ID_BYTES);
  used += ID_BYTES;
  sequence = (sequence + 1) >>> 0;
  return v7({ random, seq: sequence });
}
