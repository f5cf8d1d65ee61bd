import { guarded } from '#adapters/redis/client/failures.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { lineKey, lineKeys, MOVED_CHANNEL } from '#adapters/redis/keys.ts';
import { run, scripts } from '#adapters/redis/scripts.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { Lines } from '#ports/queue/queue-record.ts';
import { drawOrder } from './draw-order.ts';
import { packNumbers, unpackNumbers } from './packed-numbers.ts';

/** So many people get their places in one step of Redis: others have their turn in between, on a busy machine too. */
const PLACE_BATCH_MAX = 100;
/** So many steps are under way at once. */
const BATCHES_AT_ONCE = 10;

/**
 * Gives all who registered their places in the line by lot. The registration is closed in Redis, the number of those who
 * take part is put on record, and only then does anybody get a place: whatever dies in between, each further run goes on
 * with the same draw, and so do several at once.
 */
export async function placeByLot(redis: RedisClient, lines: Lines, concertId: ConcertId): Promise<void> {
  const keys = lineKeys(concertId);
  const among = await run(redis, scripts.close, keys);
  if (among < 0) return;
  const { seed, count } = await lines.draw(concertId, among);
  if ((await run(redis, scripts.begin, keys, count, seed)) === 0) return;

  const { order } = await drawOrder(Buffer.from(seed, 'hex'), count);
  const placeOf = (sequence: number) => order[sequence - 1] ?? sequence;
  const registered = lineKey(concertId, 'registered');
  for (let unfinished = true; unfinished; ) {
    const next = await guarded(() =>
      redis.zrange(registered, 0, `${PLACE_BATCH_MAX * BATCHES_AT_ONCE - 1}`, 'WITHSCORES'),
    );
    const steps: Promise<0 | 1>[] = [];
    for (let from = 0; from < next.length; from += 2 * PLACE_BATCH_MAX) {
      const entries: (string | number)[] = [];
      for (let at = from; at < Math.min(from + 2 * PLACE_BATCH_MAX, next.length); at += 2) {
        const sequence = next[at + 1] ?? '';
        entries.push(next[at] ?? '', sequence, placeOf(Number(sequence)));
      }
      steps.push(run(redis, scripts.place, keys, ...entries));
    }
    // Nobody is left, or the line was lost meanwhile: whoever opens it again knows how the lots came out.
    unfinished = steps.length > 0 && (await Promise.all(steps)).every((placed) => placed === 1);
  }
  const ended = await guarded(() => redis.getBuffer(lineKey(concertId, 'registered-ended')));
  const over = unpackNumbers(ended ?? Buffer.alloc(0)).map(placeOf);
  await run(redis, scripts.finish, keys, packNumbers(over), MOVED_CHANNEL, concertId);
}
