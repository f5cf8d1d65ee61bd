import { expect, test } from 'vitest';
import { managedConcert } from '#adapters/http/catalog/concert-plan-schemas.ts';
import { contractClient } from '#tests/support/contract-client.ts';
import { PRICE } from '#tests/support/hall.ts';
import { ADMIN_KEY } from '#tests/support/instance.ts';
import { sharedWorld } from '#tests/support/world.ts';

const world = await sharedWorld();

test('a concert of the largest size is put on sale', async () => {
  const dates = ['2099-06-01', '2099-06-02'].map((date) => ({
    ...{ date, startsAt: `${date}T10:00:00.000Z` },
    seats: [{ first: 1, last: 100_000, price: PRICE }],
  }));
  const created = await contractClient(world.instances[0]?.url ?? '')('POST', '/v1/admin/concerts', {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body: { title: 'A large one', venue: 'A hall', salesOpenAt: '2026-01-01T00:00:00.000Z', dates },
  });
  const { concertId } = created.as(managedConcert);
  const { rows } = await world.pool.query('SELECT count(*)::integer FROM seats WHERE concert_id = $1', [concertId]);
  expect(rows).toEqual([{ count: 200_000 }]);
});
