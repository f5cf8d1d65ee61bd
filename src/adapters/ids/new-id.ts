import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const ID_BYTES = 16;
/** Bytes that the end of an id is not made of. */
const SEQUENCE_AT = 6;
/** Asked for at once, because the call takes longer than all else about an id. */
const pool = Buffer.alloc(256 * ID_BYTES);
let used = pool.length;
let lastMs = 0;
let sequence = 0;

/**
 * A new id: a UUID of version 7 (RFC 9562), which begins with the time. Those of one instance ascend, also where its clock is put
 * back. In each millisecond their numbers begin anywhere, so that nobody can tell from two ids how many were made in between.
 */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + ID_BYTES);
  used += ID_BYTES;
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    sequence = random.readUInt32BE(SEQUENCE_AT);
  } else {
    sequence = (sequence + 1) >>> 0;
    if (sequence === 0) lastMs += 1;
  }
  return v7({ random, msecs: lastMs, seq: sequence });
}
