import { guarded } from '#adapters/redis/client/failures.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { queueKey } from '#adapters/redis/keys.ts';
import type { ConcertId } from '#domain/ids.ts';
import { type NumberSet, numberSet } from './number-set.ts';
import { unpackNumbers } from './packed-numbers.ts';

/** The numbers of ended entries, read from their log in Redis as it grows. */
export type EndedEntries = Pick<NumberSet, 'has' | 'countBetween'> & {
  /** How much of the log was read. */
  bytes(): number;
  /** Reads the log up to this length. */
  readUpTo(bytes: number): Promise<void>;
  /**
   * Takes in how long a survey found the log, and reads it. After a loss, or if it is shorter than at the last survey, it is
   * another log, in another order: it is read from the start, and what was known stays known.
   */
  surveyed(bytes: number, wasLost: boolean): Promise<void>;
  /** Notes numbers that ended, whether the log has them or not. */
  note(numbers: Iterable<number>): void;
  all(): Iterable<number>;
  /** Known to have ended, and missing in the log. */
  missing(): number[];
};

/** A quarter of a million numbers. */
const CHUNK_BYTES = 1_048_576;

export function endedEntries(redis: RedisClient, concertId: ConcertId, known: Iterable<number> = []): EndedEntries {
  const key = queueKey(concertId, 'ended');
  const ended = numberSet();
  for (const number of known) ended.add(number);
  let logged = numberSet();
  let readBytes = 0;
  let surveyedBytes = 0;

  async function readUpTo(bytes: number): Promise<void> {
    while (readBytes < bytes) {
      const [log, from] = [logged, readBytes];
      const chunk = await guarded(() => redis.getrangeBuffer(key, from, from + CHUNK_BYTES - 1));
      if (chunk.length === 0) return;
      // Another call may have read on, or found another log.
      if (logged !== log || readBytes !== from) continue;
      readBytes += chunk.length;
      for (const number of unpackNumbers(chunk)) {
        ended.add(number);
        logged.add(number);
      }
    }
  }

  return {
    has: ended.has,
    countBetween: ended.countBetween,
    bytes: () => readBytes,
    readUpTo,
    surveyed(bytes, wasLost) {
      if (wasLost || bytes < surveyedBytes) {
        logged = numberSet();
        readBytes = 0;
      }
      surveyedBytes = bytes;
      return readUpTo(bytes);
    },
    note(numbers) {
      for (const number of numbers) ended.add(number);
    },
    all: () => ended,
    missing: () => [...ended].filter((number) => !logged.has(number)),
  };
}
