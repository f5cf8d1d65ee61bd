import { expect, test } from 'vitest';
import { openRedis } from '#tests/support/open-redis.ts';
import { passAtQueue } from '#tests/support/queue-clock.ts';
import { until } from '#tests/support/until.ts';
import { letIn, sharedWorld } from '#tests/support/world.ts';

const world = await sharedWorld();
const { redis } = await openRedis();

test('once the last date has begun, waiting entries are told that they have ended, and sessions end in time', async () => {
  const concert = await world.openHall({ activeMax: 1, sessionSeconds: 600 });
  const [inside, waiting] = await world.fans(2);
  await letIn([inside], concert);
  await waiting.join(concert);
  expect((await waiting.poll()).body.status).toBe('WAITING');

  await world.pool.query(`UPDATE concert_dates SET starts_at = clock_timestamp() WHERE concert_id = $1`, [concert]);
  await until('the waiting entry has ended', async () => (await waiting.poll()).body.status === 'EXPIRED');
  expect((await inside.poll()).body.status).toBe('ACTIVE');
  await passAtQueue(redis, concert, 700_000);
  await until('the session has ended', async () => (await inside.poll()).body.status === 'EXPIRED');
  await until('its end is on record', async () => {
    const { rows } = await world.pool.query(
      `SELECT kind FROM queue_events WHERE concert_id = $1 ORDER BY logged_ms, logged_counter, logged_index`,
      [concert],
    );
    return rows.some(({ kind }) => kind === 'ended');
  });
});
