import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { seatKeys } from '#adapters/redis/keys.ts';
import { auditMarks } from '#commands/audits/audit-hold-keys.ts';
import type { Hold } from '#domain/booking/reservation.ts';
import { reservationId, userId } from '#domain/ids.ts';
import { auditCommand } from '#tests/support/audit-command.ts';
import type { Answer } from '#tests/support/fan.ts';
import { DATE, makeUsers, openHall } from '#tests/support/hall.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { realPorts } from '#tests/support/real-ports.ts';
import { until } from '#tests/support/until.ts';
import { letIn, startWorld } from '#tests/support/world.ts';
import { releaseReservation } from '#use-cases/booking/release-reservation.ts';
import { restoreMarks } from '#use-cases/booking/restore-hold-keys.ts';

// Redis forgets the marks of seats: they are put back from Postgres, before anybody asks for one of them.

const own = await ownRedis();
const world = await startWorld({ instances: 2, redisUrl: own.url });
const redis = new Redis(own.url);
redis.on('error', () => {});
afterAll(() => redis.disconnect());

/** The marks of all seats that are held are right. */
const marksAreBack = (count: number) =>
  until('all marks are back', async () => {
    const { compared, violations } = await auditMarks(world.pool, redis);
    return compared === count && violations.length === 0;
  });

test('after Redis has forgotten everything the audit is clean again, at all dates, though nobody asks for a seat', async () => {
  const concerts = await Promise.all([world.openHall({ seats: 700 }), world.openHall(), world.openHall()]);
  const [big, ...small] = concerts;
  const [rest] = await makeUsers(world.pool, 1);
  const fans = await world.fans(2);
  for (const [index, fan] of fans.entries()) {
    await letIn([fan], small[index] ?? ('' as never));
    await fan.hold(1, 2);
  }
  // More than one batch of them.
  await world.pool.query(
    `SELECT hold_seats(gen_random_uuid(), $1, $2, $3, array(SELECT generate_series(1, 700)), 600, 1000, 1, 'none', 'k', 'f')`,
    [rest, big, DATE],
  );
  await marksAreBack(704);

  await redis.flushall();
  await marksAreBack(704);
  expect(await auditCommand('audit', { DATABASE_URL: world.databaseUrl, REDIS_URL: own.url })).toMatchObject({
    exitCode: 0,
    said: expect.stringMatching(/^marks +704$/m),
  });
  const ends = await redis.pttl(seatKeys({ concertId: big, date: DATE, seatNumbers: [700] })[0] ?? '');
  expect(ends).toBeGreaterThan(200_000);
  expect(ends).toBeLessThanOrEqual(600_250);
});

test('while people go on holding and giving back, no mark of a hold that is over comes back', async () => {
  const concert = await world.openHall({ seats: 40, seatsPerUserMax: 40 });
  const fans = await world.fans(8);
  await letIn(fans, concert);
  const stays = await world.fan();
  const kept = await holdFor(stays.userId, concert, [39, 40]);
  const theirs = seatKeys({ concertId: concert, date: DATE, seatNumbers: [39, 40] });
  let isOver = false;
  const busy = fans.map(async (fan, index) => {
    while (!isOver) {
      const key = randomUUID();
      const { status, body } = await answered(() => fan.reserve([4 * index + 1, 4 * index + 2], { key }));
      expect(status).toBe(201);
      const given = await answered(() => fan.call('DELETE', `/reservations/${body.reservationId}`));
      expect(given.status).toBe(204);
    }
  });
  const losing = (async () => {
    for (let losses = 0; losses <= 5; losses++) {
      await until('the marks are there', async () => (await redis.exists(theirs)) === 2);
      // The line stays: whoever is in goes on.
      if (losses < 5) await redis.del(await redis.keys(`frontrow:{${concert}:${DATE}}:*`));
    }
  })().finally(() => {
    isOver = true;
  });
  await Promise.all([losing, ...busy]);
  const all = seatKeys({ concertId: concert, date: DATE, seatNumbers: Array.from({ length: 40 }, (_, n) => n + 1) });
  await until('only the marks of those who hold something are left', async () => {
    const marks = (await redis.mget(all)).flatMap((mark, index) => (mark === null ? [] : [index + 1]));
    return marks.join() === '39,40';
  });
  await world.pool.query('SELECT release_reservation($1, $2)', [stays.userId, kept]);
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

async function holdFor(user: string, concert: string, seatNumbers: readonly number[]): Promise<string> {
  const id = randomUUID();
  await world.pool.query(`SELECT hold_seats($1, $2, $3, $4, $5, 600, 1000, 1, 'none', 'k', 'f')`, [
    ...[id, user, concert, DATE, seatNumbers],
  ]);
  return id;
}

describe('a hold that ends', async () => {
  const { ports, redis: another, pool, close } = await realPorts(world.databaseUrl, (await ownRedis()).url);
  afterAll(close);

  async function aHold() {
    const concertId = await openHall(pool);
    const [user = ''] = await makeUsers(pool, 1);
    const id = await holdFor(user, concertId, [7]);
    const hold: Hold = {
      ...{ concertId, date: DATE, seatNumbers: [7], userId: userId(user), reservationId: reservationId(id) },
    };
    const release = () => releaseReservation(ports, { userId: hold.userId, reservationId: hold.reservationId });
    const mark = () => another.get(seatKeys(hold)[0] ?? '');
    return { hold, release, mark };
  }

  test.each(['listHeld', 'findHeld'] as const)('while its mark is put back, after %s, leaves none', async (step) => {
    const { hold, release, mark } = await aHold();
    let ends = 0;
    const boxOffice = {
      ...ports.boxOffice,
      async [step](...asked: [never, never]) {
        const held = await ports.boxOffice[step](...asked);
        if (held.some(({ reservationId: id }) => id === hold.reservationId)) {
          ends += 1;
          await release();
        }
        return held;
      },
    };
    await restoreMarks({ ...ports, boxOffice });
    expect(ends).toBe(1);
    expect(await mark()).toBeNull();
  });

  test('would leave one for as long as it would have lasted, were its mark put back as it was read', async () => {
    const { hold, release, mark } = await aHold();
    const boxOffice = {
      ...ports.boxOffice,
      async listHeld(...asked: Parameters<typeof ports.boxOffice.listHeld>) {
        const held = await ports.boxOffice.listHeld(...asked);
        if (held.some(({ reservationId: id }) => id === hold.reservationId)) await release();
        return held;
      },
    };
    const seatHolds = {
      ...ports.seatHolds,
      async putBack() {
        await ports.seatHolds.keep(hold, 600_000);
        return 'on' as const;
      },
      // What was read once is not looked at again.
      release: async () => {},
    };
    await restoreMarks({ boxOffice, seatHolds });
    expect(await mark()).not.toBeNull();
    expect(await another.pttl(seatKeys(hold)[0] ?? '')).toBeGreaterThan(200_000);
  });
});
