import { setTimeout as passing } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { send } from '#tests/support/fan.ts';
import { until } from '#tests/support/until.ts';
import { startWorld } from '#tests/support/world.ts';

const HOLD_SECONDS = 5;
/** Several times as long as an instance may take to notice. */
const WHILE_MS = 1_500;

const world = await startWorld({ instances: 2 });

test('nobody is let in while every seat is held, who waits is told so, and it goes on by itself when one comes back', async () => {
  const concert = await world.openHall({ seats: 2, activeMax: 10, holdSeconds: HOLD_SECONDS });
  const [holder, next, last] = await world.fans(3, { balance: 10_000 });
  if (holder === undefined || next === undefined || last === undefined) throw new RangeError();
  await holder.join(concert);
  await holder.untilActive();
  await holder.hold(1, 2);

  await everybodyKnows();
  await next.join(concert);
  await last.join(concert);
  await passing(WHILE_MS);
  for (const fan of [next, last]) {
    const { body } = await fan.poll();
    expect(body).toMatchObject({ status: 'WAITING', soldOut: true, seatsHeld: 2 });
    expect(body).not.toHaveProperty('etaSeconds');
  }

  // The hold runs out; nobody does anything about it.
  await next.untilActive();
  // The marks outlast the hold by a moment.
  await until('the seats can be had', async () => (await next.reserve([1, 2])).status === 201);
  const bought = (await next.call('GET', '/reservations')).body.items?.[0]?.reservationId ?? '';
  await everybodyKnows();
  const late = await world.fan({ doors: world.instances.slice(0, 1) });
  await late.join(concert);
  expect((await next.pay(bought)).status).toBe(201);
  await until('all is sold', async () => (await late.poll()).body.seatsHeld === 0);
  expect((await late.poll()).body).toMatchObject({ status: 'WAITING', soldOut: true, seatsHeld: 0 });

  async function everybodyKnows(): Promise<void> {
    for (const { url } of world.instances) {
      const status = `${url}/v1/concerts/${concert}/queue/status`;
      await until('it is known', async () => (await send(status, {})).body.soldOut === true);
    }
  }
});
