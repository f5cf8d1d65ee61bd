import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { managedConcert } from '#adapters/http/catalog/concert-plan-schemas.ts';
import { publicQueue } from '#adapters/http/queue/queue-schemas.ts';
import { queueKeys } from '#adapters/redis/keys.ts';
import { concertId } from '#domain/ids.ts';
import { type Call, contractClient } from '#tests/support/contract-client.ts';
import { DATE, PRICE } from '#tests/support/hall.ts';
import { ADMIN_KEY } from '#tests/support/instance.ts';
import { until } from '#tests/support/until.ts';
import { SHOP, sharedWorld } from '#tests/support/world.ts';

/** As the settings have it. */
const REBUILD_SECONDS = 75;
const world = await sharedWorld();
const [here, there] = world.instances.map(({ url }) => contractClient(url)) as [Call, Call];

const pathOf = (concert: string) => `/v1/concerts/${concert}/queue/status`;
const statusOf = async (concert: string) => (await here('GET', pathOf(concert))).as(publicQueue);
const becomes = (concert: string, expected: Record<string, unknown>) =>
  until(JSON.stringify(expected), async () => {
    const status = await statusOf(concert);
    return Object.entries(expected).every(([name, value]) => Reflect.get(status, name) === value);
  });

async function create(policy: object, salesOpenAt = '2026-01-01T00:00:00.000Z'): Promise<string> {
  const created = await there('POST', '/v1/admin/concerts', {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body: {
      title: 'A new one',
      venue: 'A hall',
      salesOpenAt,
      dates: [{ date: DATE, startsAt: '2099-05-01T10:00:00.000Z', seats: [{ first: 1, last: 2, price: PRICE }] }],
      policy,
    },
  });
  return created.as(managedConcert).concertId;
}
const change = (concert: string, policy: object) =>
  there('PATCH', `/v1/admin/concerts/${concert}/policy`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body: policy,
  });

// Side by side: they wait for the instances for most of the time.
describe.concurrent('the public status of a queue', () => {
  test('needs no token, and may be cached for a second', async () => {
    const concert = await world.openHall();
    const { status, headers } = await here('GET', pathOf(concert), { headers: { origin: SHOP } });
    expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=1']);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('access-control-allow-origin')).toBe(SHOP);
    const nowhere = await here('GET', pathOf(randomUUID()));
    expect([nowhere.status, nowhere.code, nowhere.headers.get('cache-control')]).toEqual([
      404,
      'concert-not-found',
      'no-store',
    ]);
  });

  test('bounds the position of any entry, by its sequence', async () => {
    const concert = await world.openHall({ activeMax: 2, seats: 50 });
    const fans = await world.fans(6);
    for (const fan of fans) await fan.join(concert);
    await becomes(concert, { state: 'OPEN', active: 2, waiting: 4, drawn: 6, frontier: 3 });
    expect(await statusOf(concert)).toMatchObject({ registered: 0, seatsAvailable: 50, seatsHeld: 0, soldOut: false });

    await fans[3]?.leave();
    await fans[0]?.leave();

    await becomes(concert, { active: 2, waiting: 2, frontier: 5 });
    const { frontier, ratePerSecond, etaSeconds, etaP90Seconds } = await statusOf(concert);
    expect(ratePerSecond).toBeGreaterThan(0);
    expect(etaP90Seconds).toBeGreaterThan(etaSeconds ?? Number.NaN);
    for (const fan of fans.slice(4)) {
      const { position = Number.NaN, sequence = Number.NaN } = (await fan.poll()).body;
      expect(position).toBeLessThanOrEqual(sequence - frontier + 1);
    }
  });

  test('goes from UPCOMING through REGISTERING, with the hash of the seed, to OPEN, with the seed', async () => {
    const concert = await create({ opening: 'lottery', activeMax: 1 }, '2090-01-01T00:00:00.000Z');
    const upcoming = await statusOf(concert);
    expect(upcoming).toMatchObject({ state: 'UPCOMING', opening: 'lottery', drawn: 0 });
    const { seedSha256 } = upcoming.lottery ?? {};
    expect(upcoming.lottery).toEqual({ seedSha256: expect.stringMatching(/^[0-9a-f]{64}$/) });

    await change(concert, { opensAt: '2090-01-01T00:00:00.000Z' });
    await world.pool.query(`UPDATE concerts SET sales_open_at = '2020-01-01' WHERE concert_id = $1`, [concert]);
    await becomes(concert, { state: 'REGISTERING' });
    for (const fan of await world.fans(3)) await fan.join(concert);
    await becomes(concert, { registered: 3, active: 0 });
    expect((await statusOf(concert)).lottery).toEqual({ seedSha256 });

    await change(concert, { opensAt: null });
    await becomes(concert, { state: 'OPEN', registered: 0, active: 1, waiting: 2 });
    await until('the seed is public', async () => (await statusOf(concert)).lottery?.seed !== undefined);
    expect((await statusOf(concert)).lottery).toMatchObject({ seedSha256, count: 3 });
  });

  test('is PAUSED, SOLD_OUT with the number of held seats, and CLOSED', async () => {
    const concert = await world.openHall({ seats: 2, activeMax: 5 });
    const [buyer] = await world.fans(1, { balance: 2 * PRICE });
    await buyer.enter(concert);
    await change(concert, { paused: true });
    await becomes(concert, { state: 'PAUSED', soldOut: false });
    expect((await statusOf(concert)).etaSeconds).toBeUndefined();
    await change(concert, { paused: false });
    await becomes(concert, { state: 'OPEN' });

    const reservation = await buyer.hold(1, 2);
    await becomes(concert, { state: 'SOLD_OUT', soldOut: true, seatsAvailable: 0, seatsHeld: 2 });
    await buyer.pay(reservation);
    await becomes(concert, { state: 'SOLD_OUT', seatsHeld: 0 });

    await world.pool.query(`UPDATE concert_dates SET starts_at = '2020-01-01' WHERE concert_id = $1`, [concert]);
    await becomes(concert, { state: 'CLOSED' });
  });

  test('is REBUILDING after a loss, with the remaining time', async () => {
    const concert = await world.openHall({ activeMax: 1 });
    for (const fan of await world.fans(3)) await fan.join(concert);
    await becomes(concert, { state: 'OPEN', waiting: 2 });
    const redis = new Redis(world.redisUrl);
    await redis.unlink(queueKeys(concertId(concert)));
    redis.disconnect();
    await becomes(concert, { state: 'REBUILDING', active: 0 });
    const { rebuildingSeconds, etaSeconds } = await statusOf(concert);
    expect(rebuildingSeconds).toBeGreaterThan(0);
    expect(rebuildingSeconds).toBeLessThanOrEqual(REBUILD_SECONDS);
    expect(etaSeconds).toBeUndefined();
  });
});
