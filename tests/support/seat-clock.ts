import type { RedisClient } from '#adapters/redis/client/redis-client.ts';
import { seatKeys, turnKey } from '#adapters/redis/keys.ts';
import type { SeatSet } from '#domain/booking/reservation.ts';

/** Lets time go by for the marks of seats and whose turn it is to look after them, instead of waiting: shortens what is left to them. */
export async function passAtSeats(redis: RedisClient, seats: SeatSet, milliseconds: number): Promise<void> {
  for (const key of [turnKey(seats), ...seatKeys(seats)]) {
    const left = await redis.pttl(key);
    if (left > 0) await redis.pexpire(key, Math.max(0, left - milliseconds));
  }
}
