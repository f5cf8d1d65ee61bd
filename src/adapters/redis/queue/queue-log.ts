import { guarded } from '#adapters/redis/client/failures.ts';
import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { queueKey } from '#adapters/redis/keys.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { QueueEvent } from '#ports/queue/queue-records.ts';
import type { QueueView } from './queue-view.ts';

/** Stream entries read at once, each of up to a thousand numbers. */
const ENTRIES_MAX = 50;
const JOINED_BYTES = 6;
/** Join times closer together than this are read as one range. */
const SPREAD_MAX = 4;

/** The oldest events of entries that are not acknowledged, in the order in which they happened. */
export async function takeQueueEvents(
  redis: RedisClient,
  view: QueueView,
  concertId: ConcertId,
  max: number,
): Promise<readonly QueueEvent[]> {
  const entries = await guarded(() => redis.xrange(queueKey(concertId, 'log'), '-', '+', 'COUNT', ENTRIES_MAX));
  if (entries.length === 0) return [];
  await view.refresh();
  const events: QueueEvent[] = [];
  for (const [entryId, [kind = '', list = '']] of entries) {
    if (events.length >= max) break;
    const numbers = list.split(' ').map(Number);
    // An entry that left before the draw has no lot: by now its sequence is another entry's number.
    const isUnplaced = kind === 'unregistered';
    const isLost = isUnplaced && view.drawCount() !== '';
    const joined = isLost ? [] : await joinedTimes(redis, concertId, numbers);
    const at = new Date(Number(entryId.split('-')[0]));
    for (const [index, number] of numbers.entries()) {
      events.push({
        eventId: `${entryId}-${index}`,
        kind: isUnplaced ? 'left' : (kind as QueueEvent['kind']),
        sequence: isUnplaced ? number : view.sequenceOf(number),
        order: number,
        joinedAt: joined[index],
        at,
      });
    }
  }
  return events;
}

/** Removes all events up to this one. */
export async function ackQueueEvents(redis: RedisClient, concertId: ConcertId, { eventId }: QueueEvent): Promise<void> {
  const [milliseconds, counter] = eventId.split('-');
  await guarded(() => redis.xtrim(queueKey(concertId, 'log'), 'MINID', `${milliseconds}-${Number(counter) + 1}`));
}

async function joinedTimes(
  redis: RedisClient,
  concertId: ConcertId,
  numbers: readonly number[],
): Promise<(Date | undefined)[]> {
  const key = queueKey(concertId, 'joined');
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
