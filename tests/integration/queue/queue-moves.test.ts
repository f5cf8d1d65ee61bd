import { v7 as newId } from 'uuid';
import { afterAll, expect, inject, test } from 'vitest';
import { userId } from '#domain/ids.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { openHall } from '#tests/support/hall.ts';
import { realPorts } from '#tests/support/real-ports.ts';
import { until } from '#tests/support/until.ts';

// An instance hears that a line has moved at another one. Nothing here looks at the line again by the clock.

const databaseUrl = await freshDatabase();
const [here, there] = [
  await realPorts(databaseUrl, inject('redisUrl')),
  await realPorts(databaseUrl, inject('redisUrl')),
];
afterAll(async () => {
  await Promise.all([here.close(), there.close()]);
});

test('an admission at one instance is published to the others, for watchers of that queue only', async () => {
  const [moving, still] = [await openHall(here.pool), await openHall(here.pool)];
  const [room, elsewhere] = [here.ports.queue, there.ports.queue];
  const heard = { moving: 0, still: 0 };
  const endings = [
    room.watch(moving, () => {
      heard.moving += 1;
    }),
    room.watch(still, () => {
      heard.still += 1;
    }),
  ];
  await elsewhere.join(moving, userId(newId()), { waitingMax: 10, opening: 'fifo' });
  expect(heard).toEqual({ moving: 0, still: 0 });

  await elsewhere.admit(moving, { ...POLICY, activeMax: 1 });
  await until('the message arrives', () => heard.moving > 0);
  expect((await room.survey(moving)).active).toBe(1);
  expect(heard.still).toBe(0);

  for (const end of endings) end();
});
