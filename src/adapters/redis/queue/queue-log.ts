import { guarded } from '#adapters/redis/client/failures.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { lineKey } from '#adapters/redis/keys.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { LineEvent } from '#ports/queue/queue-record.ts';
import type { LineView } from './line-view.ts';

/** Entries read at once, each of up to a thousand places. */
const ENTRIES_MAX = 50;
const JOINED_BYTES = 6;
/** Join times that lie closer together than that are read as one piece. */
const SPREAD_MAX = 4;

/** What happened to places, in the order in which it happened, oldest first. */
export async function takeLineEvents(
  redis: RedisClient,
  view: LineView,
  concertId: ConcertId,
  max: number,
): Promise<readonly LineEvent[]> {
  const entries = await guarded(() => redis.xrange(lineKey(concertId, 'log'), '-', '+', 'COUNT', ENTRIES_MAX));
  if (entries.length === 0) return [];
  await view.refresh();
  const events: LineEvent[] = [];
  for (const [entryId, [kind = '', list = '']] of entries) {
    if (events.length >= max) break;
    const numbers = list.split(' ').map(Number);
    // Who registered and left before lots were drawn never had a place by lot. After that their number is another's.
    const unplaced = kind === 'unregistered';
    const isLost = unplaced && view.drawCount() !== '';
    const joined = isLost ? [] : await joinedTimes(redis, concertId, numbers);
    const at = new Date(Number(entryId.split('-')[0]));
    for (const [index, number] of numbers.entries()) {
      events.push({
        eventId: `${entryId}-${index}`,
        kind: unplaced ? 'left' : (kind as LineEvent['kind']),
        sequence: unplaced ? number : view.sequenceOf(number),
        order: number,
        joinedAt: joined[index],
        at,
      });
    }
  }
  return events;
}

/** Forgets everything up to this event. */
export async function settleLineEvents(
  redis: RedisClient,
  concertId: ConcertId,
  { eventId }: LineEvent,
): Promise<void> {
  const [milliseconds, counter] = eventId.split('-');
  await guarded(() => redis.xtrim(lineKey(concertId, 'log'), 'MINID', `${milliseconds}-${Number(counter) + 1}`));
}

async function joinedTimes(
  redis: RedisClient,
  concertId: ConcertId,
  numbers: readonly number[],
): Promise<(Date | undefined)[]> {
  const key = lineKey(concertId, 'joined');
  const first = Math.min(...numbers);
  const last = Math.max(...numbers);
  const read = (from: number, to: number) =>
    guarded(() => redis.getrangeBuffer(key, (from - 1) * JOINED_BYTES, to * JOINED_BYTES - 1));
  if (last - first < SPREAD_MAX * numbers.length) {
    const all = await read(first, last);
    return numbers.map((number) => timeAt(all, (number - first) * JOINED_BYTES));
  }
  return Promise.all(numbers.map(async (number) => timeAt(await read(number, number), 0)));
}

function timeAt(bytes: Buffer, offset: number): Date | undefined {
  const time = offset + JOINED_BYTES <= bytes.length ? bytes.readUIntBE(offset, JOINED_BYTES) : 0;
  return time === 0 ? undefined : new Date(time);
}
