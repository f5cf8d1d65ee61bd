import { afterAll, describe, expect, it } from 'vitest';
import { connectRedis } from '#adapters/redis/client/connect-redis.ts';
import { redisEventStream } from '#adapters/redis/events/event-stream.ts';
import { EVENT_FENCE, EVENT_STREAM } from '#adapters/redis/keys.ts';
import type { PublicEvent } from '#domain/events/public-event.ts';
import { eventStreamContract } from '#tests/contracts/event-stream-contract.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { readStream } from '#tests/support/read-stream.ts';

// A server of its own: there is one stream per server, and others publish there.
const server = await ownRedis();
const { redis, close } = await connectRedis({ url: server.url, commandTimeoutMs: 60_000 }, () => {});
afterAll(close);

eventStreamContract({
  eventStream: redisEventStream(redis, { lengthMax: 100_000 }),
  published: () => readStream(redis),
});

const event = (eventId: string): PublicEvent => ({
  eventId,
  type: 'webhook.test',
  aggregateId: crypto.randomUUID(),
  aggregateSequence: 1,
  at: new Date(0),
  data: { endpointId: eventId },
});

describe('the stream in Redis', () => {
  it('keeps about as many events as its limit, the latest ones', async () => {
    const lengthMax = 1_000;
    const stream = redisEventStream(redis, { lengthMax });
    for (let batch = 0; batch < 20; batch++) {
      const events = Array.from({ length: 200 }, (_, index) => event(String(batch * 200 + index)));
      await stream.publish({ fencingToken: 2 ** 52 + batch, events });
    }
    const length = await redis.xlen(EVENT_STREAM);
    expect(length).toBeGreaterThanOrEqual(lengthMax);
    // Redis trims by nodes of a hundred entries.
    expect(length).toBeLessThan(lengthMax + 200);
    expect((await readStream(redis)).at(-1)?.eventId).toBe('3999');
  });

  it('has its two keys on one node of a cluster', () => {
    expect([EVENT_STREAM, EVENT_FENCE].map((key) => /\{(\w+)\}/.exec(key)?.[1])).toEqual(['events', 'events']);
  });

  it('is unavailable when Redis is unreachable', async () => {
    const away = await connectRedis({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 1_000 }, () => {});
    const publishing = redisEventStream(away.redis, { lengthMax: 1_000 }).publish({
      fencingToken: 1,
      events: [event('1')],
    });
    await expectRefusal(publishing, 'unavailable');
    await away.close();
  });
});
