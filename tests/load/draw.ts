import { randomUUID } from 'node:crypto';
import type { RedisClient } from '#adapters/redis/redis-client.ts';
import { type ConcertId, userId } from '#domain/ids.ts';
import type { WaitingRoom } from '#ports/waiting-room.ts';

export type DrawMeasured = {
  readonly seconds: number;
  /** How long Redis was at one thing, each thing that took longer than a tenth of a millisecond. */
  readonly stepsMs: readonly number[];
};

const REGISTERED_AT_ONCE = 5_000;
const NOTED_MICROSECONDS = 100;
/** More steps than there are. */
const STEPS_MAX = 100_000;

/** So many people register, and lots are drawn among them, while Redis notes how long each of its steps takes. */
export async function measureDraw(
  redis: RedisClient,
  room: WaitingRoom,
  concertId: ConcertId,
  people: number,
): Promise<DrawMeasured> {
  for (let registered = 0; registered < people; registered += REGISTERED_AT_ONCE) {
    const batch = Array.from({ length: Math.min(REGISTERED_AT_ONCE, people - registered) }, () =>
      room.join(concertId, userId(randomUUID()), { waitingMax: people, opening: 'lottery' }),
    );
    await Promise.all(batch);
  }
  await redis.config('SET', 'slowlog-max-len', STEPS_MAX);
  await redis.config('SET', 'slowlog-log-slower-than', NOTED_MICROSECONDS);
  await redis.slowlog('RESET');
  const started = performance.now();
  await room.drawLots(concertId);
  const seconds = (performance.now() - started) / 1_000;
  await redis.config('SET', 'slowlog-log-slower-than', -1);
  const noted = (await redis.slowlog('GET', STEPS_MAX)) as [id: number, at: number, microseconds: number][];
  return { seconds, stepsMs: noted.map(([, , microseconds]) => microseconds / 1_000) };
}
