import { guarded } from '#adapters/redis/client/failures.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { MOVED_CHANNEL, queueKey, queueKeys } from '#adapters/redis/keys.ts';
import { run, scripts } from '#adapters/redis/scripts.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { QueueRecords } from '#ports/queue/queue-records.ts';
import { drawOrder } from './draw-order.ts';
import { packNumbers, unpackNumbers } from './packed-numbers.ts';

/** Entries placed by one run of the script, which other commands wait for. */
const PLACE_BATCH_MAX = 100;
const BATCHES_AT_ONCE = 10;

/**
 * Places all registered entries by lot. First the registration is closed in Redis, then the number of lots is put on record,
 * then entries are placed. After a crash at any point, the next run goes on with the same draw; so do runs side by side.
 */
export async function placeByLot(redis: RedisClient, queueRecords: QueueRecords, concertId: ConcertId): Promise<void> {
  const keys = queueKeys(concertId);
  const lots = await run(redis, scripts.close, keys, {});
  if (lots < 0) return;
  const { seed, count } = await queueRecords.draw(concertId, lots);
  if ((await run(redis, scripts.begin, keys, { count, seed })) === 0) return;

  const { order } = await drawOrder(Buffer.from(seed, 'hex'), count);
  const numberOf = (sequence: number) => order[sequence - 1] ?? sequence;
  await placeAll(redis, concertId, numberOf);
  const ended = await guarded(() => redis.getBuffer(queueKey(concertId, 'registered-ended')));
  const numbers = unpackNumbers(ended ?? Buffer.alloc(0)).map(numberOf);
  await run(redis, scripts.finish, keys, {
    ended: packNumbers(numbers),
    channel: MOVED_CHANNEL,
    concert: concertId,
  });
}

async function placeAll(
  redis: RedisClient,
  concertId: ConcertId,
  numberOf: (sequence: number) => number,
): Promise<void> {
  const keys = queueKeys(concertId);
  const registered = queueKey(concertId, 'registered');
  for (let unfinished = true; unfinished; ) {
    const next = await guarded(() =>
      redis.zrange(registered, 0, `${PLACE_BATCH_MAX * BATCHES_AT_ONCE - 1}`, 'WITHSCORES'),
    );
    const runs: Promise<0 | 1>[] = [];
    for (let from = 0; from < next.length; from += 2 * PLACE_BATCH_MAX) {
      const entries: (string | number)[] = [];
      for (let at = from; at < Math.min(from + 2 * PLACE_BATCH_MAX, next.length); at += 2) {
        const sequence = next[at + 1] ?? '';
        entries.push(next[at] ?? '', sequence, numberOf(Number(sequence)));
      }
      runs.push(run(redis, scripts.place, keys, {}, entries));
    }
    // A run replies 0 if the queue was lost meanwhile: it is opened again with the draw on record.
    unfinished = runs.length > 0 && (await Promise.all(runs)).every((placed) => placed === 1);
  }
}
