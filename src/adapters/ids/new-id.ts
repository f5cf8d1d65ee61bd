import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const ID_BYTES = 16;
/** The random bytes for the counter, which no other part of the id uses. */
const SEQUENCE_AT = 6;
/** Filled at once, as a call for random bytes takes longer than the rest of an id. */
const pool = Buffer.alloc(256 * ID_BYTES);
let used = pool.length;
let lastMs = 0;
let sequence = 0;

/**
 * Makes a UUID of version 7 (RFC 9562), which starts with the time. The ids of an instance ascend, also if its clock is
 * set back. The counter starts at random in each millisecond, so that two ids do not tell how many were made in between.
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
