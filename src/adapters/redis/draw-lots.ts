import type { ConcertId } from '#domain/ids.ts';
import type { Lines } from '#ports/lines.ts';
import { drawOrder } from './draw-order.ts';
import { guarded } from './failures.ts';
import { lineKey, lineKeys, MOVED_CHANNEL } from './keys.ts';
import { packNumbers, unpackNumbers } from './packed-numbers.ts';
import type { RedisClient } from './redis-client.ts';
import { run, scripts } from './scripts.ts';

/** So many people get their places at a time: about a millisecond of Redis. */
const PLACE_BATCH_MAX = 500;

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
  for (let left = Number.POSITIVE_INFINITY; left > 0; ) {
    const next = await guarded(() => redis.zrange(registered, 0, `${PLACE_BATCH_MAX - 1}`, 'WITHSCORES'));
    const entries: (string | number)[] = [];
    for (let at = 0; at < next.length; at += 2) {
      const sequence = next[at + 1] ?? '';
      entries.push(next[at] ?? '', sequence, placeOf(Number(sequence)));
    }
    left = entries.length === 0 ? 0 : await run(redis, scripts.place, keys, ...entries);
  }
  const ended = await guarded(() => redis.getBuffer(lineKey(concertId, 'registered-ended')));
  const over = unpackNumbers(ended ?? Buffer.alloc(0)).map(placeOf);
  await run(redis, scripts.finish, keys, packNumbers(over), MOVED_CHANNEL, concertId);
}
