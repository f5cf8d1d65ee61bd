import { describe, expect, test } from 'vitest';
import { brokenForAWhile, setStage } from './stage.ts';
import { type TcpProxy, tcpProxy } from './tcp-proxy.ts';

const ways: { readonly redis: TcpProxy; readonly postgres: TcpProxy }[] = [];
const { whileBooking } = await setStage(async ({ redisUrl, databaseUrl }) => {
  const way = { redis: await tcpProxy(redisUrl), postgres: await tcpProxy(databaseUrl) };
  ways.push(way);
  return { REDIS_URL: way.redis.url, DATABASE_URL: way.postgres.url };
});

/** Each way. Redis is not waited for so long; for Postgres instances wait, and there and back is more than people do. */
const DELAYS_MS = { redis: 400, postgres: 1_100 };

describe.each(['redis', 'postgres'] as const)('the way of the instances to %s', (server) => {
  const name = server === 'redis' ? 'Redis' : 'Postgres';
  const each = (spoil: (way: TcpProxy) => void) => {
    for (const way of ways) spoil(way[server]);
  };

  test('is long', async () => {
    const { unclear } = await whileBooking(`${name} is ${DELAYS_MS[server]} ms away for 3 s`, async () => {
      each((way) => way.delay(DELAYS_MS[server]));
      await brokenForAWhile();
      each((way) => way.mend());
    });
    expect(unclear).toBeGreaterThan(0);
  });

  test('is cut', async () => {
    const { unclear } = await whileBooking(`${name} is cut off for 3 s`, async () => {
      each((way) => way.cut());
      await brokenForAWhile();
      each((way) => way.mend());
    });
    expect(unclear).toBeGreaterThan(0);
  });

  test.each(['instance', 'server'] as const)(
    'is closed in one direction: the %s is told, the other is not',
    async (end) => {
      let torn = 0;
      await whileBooking(`${name}: connections half closed to the ${end}`, async () => {
        torn = ways.map((way) => way[server].halfClose(end)).reduce((sum, count) => sum + count);
      });
      expect(torn).toBeGreaterThanOrEqual(ways.length);
    },
  );
});
