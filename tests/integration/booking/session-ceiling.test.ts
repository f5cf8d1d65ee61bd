import { expect, test } from 'vitest';
import { until } from '#tests/support/until.ts';
import { letIn, startWorld } from '#tests/support/world.ts';

const world = await startWorld({ instances: 1 });

test('a session ends, though its user holds and releases a seat again and again', async () => {
  const limits = { sessionSeconds: 5, holdSeconds: 1, holdSecondsMax: 0, holdsPerSessionMax: 10_000 };
  const concert = await world.openHall({ activeMax: 1, ...limits });
  const [keen, next] = await world.fans(2);
  await letIn([keen], concert);
  await next.join(concert);
  let held = 0;
  await until('the session ends', async () => {
    const { status, body } = await keen.reserve([1]);
    if (status === 201 && body.reservationId !== undefined) {
      held++;
      await keen.release(body.reservationId);
    }
    return (await keen.poll()).body.status === 'EXPIRED';
  });
  expect(held).toBeGreaterThan(0);
  await next.untilActive();
});
