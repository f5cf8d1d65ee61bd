import { v7 as newId } from 'uuid';
import { afterAll, describe, inject, it } from 'vitest';
import { connectRedis } from '#adapters/redis/client/connect-redis.ts';
import { redisHoldKeys } from '#adapters/redis/seats/redis-hold-keys.ts';
import { concertDate, concertId, reservationId, userId } from '#domain/ids.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { holdKeysContract } from '#tests/contracts/hold-keys-contract.ts';
import { passAtSeats } from '#tests/support/seat-clock.ts';

const { redis, close } = await connectRedis({ url: inject('redisUrl'), commandTimeoutMs: 60_000 }, raise);
afterAll(close);

const ACQUIRED_TTL_MS = 300_000;

holdKeysContract(() => ({
  holdKeys: redisHoldKeys(redis, ACQUIRED_TTL_MS),
  acquiredTtlMs: ACQUIRED_TTL_MS,
  passes: (seats, milliseconds) => passAtSeats(redis, seats, milliseconds),
}));

describe('hold keys that cannot be reached', () => {
  it('refuse every call as unavailable', async () => {
    const away = await connectRedis({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 1_000 }, () => {});
    const { acquire, prolong, putBack, keep, remember, release } = redisHoldKeys(away.redis);
    const user = userId(newId());
    const hold = {
      userId: user,
      concertId: concertId(newId()),
      reservationId: reservationId(newId()),
      date: concertDate('2027-05-01'),
      seatNumbers: [1],
    };
    const request = { userId: user, key: 'k', fingerprint: 'f' };
    const calls = [
      ...[
        acquire(hold, request),
        prolong(hold, 1),
        putBack(hold),
        keep(hold, 1),
        remember(hold, request),
        release(hold),
      ],
    ];
    await Promise.all(calls.map((call) => expectRefusal(call, 'unavailable')));
    await away.close();
  });
});

function raise(error: Error): never {
  throw error;
}
