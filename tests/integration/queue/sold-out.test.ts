import { expect, test } from 'vitest';
import { send } from '#tests/support/client/client.ts';
import { DATE, lapse } from '#tests/support/hall.ts';
import { openRedis } from '#tests/support/open-redis.ts';
import { passAtSeats } from '#tests/support/seat-clock.ts';
import { until } from '#tests/support/until.ts';
import { sharedWorld } from '#tests/support/world.ts';

const HOLD_SECONDS = 300;
/** And the moment by which its marks outlast it. */
const HOLD_MS = 1_000 * HOLD_SECONDS + 10_000;

const world = await sharedWorld();
const { redis } = await openRedis();

test('nobody is admitted while all seats are held, waiting clients are told, and admission resumes when one is free', async () => {
  const concert = await world.openHall({ seats: 2, activeMax: 10, holdSeconds: HOLD_SECONDS });
  const [holder, next, last] = await world.fans(3, { balance: 10_000 });
  await holder.enter(concert);
  const held = await holder.hold(1, 2);

  await everybodyKnows(concert);
  await next.join(concert);
  await last.join(concert);
  await everybodyIsLetInWhoMayBe();
  for (const fan of [next, last]) {
    const { body } = await fan.poll();
    expect(body).toMatchObject({ status: 'WAITING', soldOut: true, seatsHeld: 2 });
    expect(body).not.toHaveProperty('etaSeconds');
  }

  // The hold runs out; nobody does anything about it.
  await lapse(world.pool, held);
  await passAtSeats(redis, { concertId: concert, date: DATE, seatNumbers: [1, 2] }, HOLD_MS);
  await next.untilActive();
  await until('the seats are available', async () => (await next.reserve([1, 2])).status === 201);
  const bought = (await next.call('GET', '/v1/reservations')).body.items?.[0]?.reservationId ?? '';
  await everybodyKnows(concert);
  const late = await world.fan({ doors: world.instances.slice(0, 1) });
  await late.join(concert);
  expect((await next.pay(bought)).status).toBe(201);
  await until('all seats are sold', async () => (await late.poll()).body.seatsHeld === 0);
  expect((await late.poll()).body).toMatchObject({ status: 'WAITING', soldOut: true, seatsHeld: 0 });
});

test('a seat that comes back admits a few, and not all who wait', async () => {
  const concert = await world.openHall({ seats: 2, activeMax: 100 });
  const holder = await world.fan();
  await holder.enter(concert);
  const [, back] = [await holder.hold(1), await holder.hold(2)];
  await everybodyKnows(concert);
  const crowd = await world.fans(12);
  for (const fan of crowd) await fan.join(concert);
  await everybodyIsLetInWhoMayBe();

  expect((await holder.release(back)).status).toBe(204);
  await crowd[0]?.untilActive();
  await everybodyIsLetInWhoMayBe();
  const statuses = (await Promise.all(crowd.map((fan) => fan.poll()))).map(({ body }) => body.status);
  // Three for the seat. The holder of the other one is active, too.
  expect(statuses.filter((status) => status === 'ACTIVE')).toHaveLength(3);
});

async function everybodyKnows(concert: string): Promise<void> {
  for (const { url } of world.instances) {
    const status = `${url}/v1/concerts/${concert}/queue/status`;
    await until('it is known', async () => (await send(status)).body.soldOut === true);
  }
}

/**
 * Each run of the admission job lets people in at all concerts. Once as many have been let in elsewhere, one after the other,
 * an instance has begun and ended at least one run since.
 */
async function everybodyIsLetInWhoMayBe(): Promise<void> {
  const elsewhere = await world.openHall();
  for (const fan of await world.fans(2 * world.instances.length + 1)) {
    await fan.enter(elsewhere);
  }
}
