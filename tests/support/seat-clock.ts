import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { holdKeys } from '#adapters/redis/keys.ts';
import type { SeatSet } from '#domain/booking/reservation.ts';

/** Lets time pass for the hold keys of seats: shortens their TTL. */
export async function passAtSeats(redis: RedisClient, seats: SeatSet, milliseconds: number): Promise<void> {
  for (const key of holdKeys(seats)) {
    const left = await redis.pttl(key);
    if (left > 0) await redis.pexpire(key, Math.max(0, left - milliseconds));
  }
}
