import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { holdKeys } from '#adapters/redis/keys.ts';
import { auditHoldKeys } from '#commands/audits/audit-hold-keys.ts';
import type { Hold } from '#domain/booking/reservation.ts';
import { type ConcertId, userId } from '#domain/ids.ts';
import type { Answer } from '#tests/support/client/client.ts';
import { DATE, makeUsers, openHall } from '#tests/support/hall.ts';
import { outcomeOf } from '#tests/support/outcome.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { realPorts } from '#tests/support/real-ports.ts';
import { until } from '#tests/support/until.ts';
import { letIn, startWorld } from '#tests/support/world.ts';
import { releaseReservation } from '#use-cases/booking/release-reservation.ts';
import { reserveSeats } from '#use-cases/booking/reserve-seats.ts';

// Redis loses hold keys: Postgres refuses the next client, and the key is put back for as long as the hold lasts.

const own = await ownRedis();
const world = await startWorld({ instances: 2, redisUrl: own.url });
const redis = new Redis(own.url);
redis.on('error', () => {});
afterAll(() => redis.disconnect());

const keysOf = (concertId: ConcertId, ...seatNumbers: number[]) => holdKeys({ concertId, date: DATE, seatNumbers });

test('a seat with a lost hold key is refused to the next client, and has its key again for as long as the hold lasts', async () => {
  const concert = await world.openHall();
  const [holder, ...crowd] = await world.fans(4);
  await letIn([holder, ...crowd], concert);
  await holder.hold(1, 2);
  await redis.del(keysOf(concert, 1, 2));

  const answers = await Promise.all(crowd.map((fan) => fan.reserve([1, 2])));
  for (const { status, body } of answers) {
    expect([status, body.code]).toEqual([409, 'seat-taken']);
  }
  for (const key of keysOf(concert, 1, 2)) {
    const ttlMs = await redis.pttl(key);
    expect(ttlMs).toBeGreaterThan(100_000);
    expect(ttlMs).toBeLessThanOrEqual(300_250);
  }
});

test('while hold keys are lost and other clients reserve, no key of an ended hold returns', async () => {
  const concert = await world.openHall({ seats: 18, seatsPerUserMax: 18 });
  const fans = await world.fans(8);
  const [stays, asks] = await world.fans(2);
  await letIn([...fans, stays, asks], concert);
  await stays.hold(17, 18);
  let isOver = false;
  const busy = fans.map(async (fan, index) => {
    while (!isOver) {
      const key = randomUUID();
      const { status, body } = await answered(() => fan.reserve([2 * index + 1, 2 * index + 2], key));
      if (status === 409) continue;
      expect(status).toBe(201);
      const given = await answered(() => fan.release(body.reservationId ?? ''));
      expect(given.status).toBe(204);
    }
  });
  const losing = (async () => {
    for (let losses = 0; losses < 5; losses++) {
      await redis.del(await redis.keys(`frontrow:{${concert}:${DATE}}:*`));
      await until('the next refusal has restored the keys', async () => {
        await asks.reserve([losses + 1, 17, 18]);
        return (await redis.exists(keysOf(concert, 17, 18))) === 2;
      });
    }
  })().finally(() => {
    isOver = true;
  });
  await Promise.all([losing, ...busy]);
  await until('only keys of live holds are left', async () => {
    const all = keysOf(concert, ...Array.from({ length: 18 }, (_, index) => index + 1));
    const left = (await redis.mget(all)).flatMap((key, index) => (key === null ? [] : [index + 1]));
    return left.join() === '17,18';
  });
  expect(await auditHoldKeys(world.pool, redis)).toMatchObject({ violations: [] });
});

/** A busy machine may leave a command without its answer: it is repeated. */
async function answered(send: () => Promise<Answer>): Promise<Answer> {
  let answer = await send();
  await until('it is answered', async () => {
    if (answer.status === 503) answer = await send();
    return answer.status !== 503;
  });
  return answer;
}

describe('a hold that ends before its key is restored', async () => {
  const { ports, redis: another, pool, close } = await realPorts(world.databaseUrl, (await ownRedis()).url);
  afterAll(close);

  /** Somebody else asks for a held seat whose key was lost; the hold is released in between. */
  async function askFor(look: 'again' | 'once'): Promise<string | null> {
    const concertId = await openHall(pool);
    const [holder = '', asker = ''] = await makeUsers(pool, 2);
    const reserve = (user: string, by = ports) => {
      const entry = { userId: userId(user), concertId, sequence: 1, epoch: 'epoch', joinedAt: new Date() };
      const request = { userId: entry.userId, key: randomUUID(), fingerprint: 'f' };
      return reserveSeats(by, { entry, date: DATE, request, seatNumbers: [7] });
    };
    const { answer } = await reserve(holder);
    const hold: Hold = answer;
    const key = holdKeys(hold)[0] ?? '';
    await another.del(key);
    const before = await ports.boxOffice.findHeld(hold, [7]);
    const refused = reserve(asker, {
      ...ports,
      holdKeys: {
        ...ports.holdKeys,
        async putBack(lost, milliseconds) {
          await releaseReservation(ports, { userId: hold.userId, reservationId: hold.reservationId });
          return ports.holdKeys.putBack(lost, milliseconds);
        },
      },
      boxOffice: {
        ...ports.boxOffice,
        findHeld: async (on, seats) => (look === 'again' ? ports.boxOffice.findHeld(on, seats) : before),
      },
    });
    expect(await outcomeOf(refused)).toBe('seat-taken');
    return another.get(key);
  }

  test('leaves no key', async () => {
    expect(await askFor('again')).toBeNull();
  });

  test('would leave a key if Postgres were not asked again', async () => {
    expect(await askFor('once')).not.toBeNull();
  });
});
