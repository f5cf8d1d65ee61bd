import { describe, expect, test } from 'vitest';
import { brokenForAWhile, setStage, TOLD_SOON_MS_MAX } from './stage.ts';
import { type TcpProxy, tcpProxy } from './tcp-proxy.ts';

/** Each on a way of its own: from people to it, and from it to what it needs. */
type Ways = Record<'instances' | 'redis' | 'postgres', TcpProxy[]>;

const ways: Ways = { instances: [], redis: [], postgres: [] };
const newWay = async (to: keyof Ways, url: string) => {
  const way = await tcpProxy(url);
  ways[to].push(way);
  return way.url;
};
const { whileBooking } = await setStage({
  settings: async ({ redisUrl, databaseUrl }) => ({
    REDIS_URL: await newWay('redis', redisUrl),
    DATABASE_URL: await newWay('postgres', databaseUrl),
  }),
  doorOf: async (instance) => ({ ...instance, url: new URL(await newWay('instances', instance.url)).origin }),
});

describe.each([
  // Each way. There and back is more than people wait, and than instances wait for Redis.
  { to: 'instances', way: 'people to the instances', delayMs: 1_100 },
  { to: 'redis', way: 'the instances to Redis', delayMs: 400 },
  { to: 'postgres', way: 'the instances to Postgres', delayMs: 1_100 },
] as const)('the way of $way', ({ to, way, delayMs }) => {
  const each = (spoil: (way: TcpProxy) => void) => ways[to].forEach(spoil);

  test('is long', async () => {
    const { unclear, toldAfterMs } = await whileBooking(`${way}: ${delayMs} ms longer for 3 s`, async () => {
      each((way) => way.delay(delayMs));
      await brokenForAWhile();
      each((way) => way.mend());
    });
    expect(unclear).toBeGreaterThan(0);
    if (to === 'redis') expect(toldAfterMs).toBeLessThan(TOLD_SOON_MS_MAX);
  });

  test('is cut', async () => {
    const { unclear, toldAfterMs } = await whileBooking(`${way}: cut off for 3 s`, async () => {
      each((way) => way.cut());
      await brokenForAWhile();
      each((way) => way.mend());
    });
    expect(unclear).toBeGreaterThan(0);
    if (to === 'redis') expect(toldAfterMs).toBeLessThan(TOLD_SOON_MS_MAX);
  });

  test.each(['client', 'server'] as const)(
    'is closed in one direction: the %s is told, the other is not',
    async (end) => {
      let torn = 0;
      await whileBooking(`${way}: half closed to the ${end}`, async () => {
        torn = ways[to].map((way) => way.halfClose(end)).reduce((sum, count) => sum + count);
      });
      expect(torn).toBeGreaterThanOrEqual(ways[to].length);
    },
  );
});
