import { describe, expect, test } from 'vitest';
import { setStage, TOLD_SOON_PROMISED_MS } from './stage.ts';
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
  { to: 'instances', way: 'clients to the instances', ofPatience: 0.55 },
  { to: 'redis', way: 'the instances to Redis', ofPatience: 0.3 },
  { to: 'postgres', way: 'the instances to Postgres', ofPatience: 0.55 },
] as const)('the network from $way', ({ to, way, ofPatience }) => {
  const each = (spoil: (way: TcpProxy) => void) => ways[to].forEach(spoil);

  const toldPromisedMs = to === 'redis' ? TOLD_SOON_PROMISED_MS : undefined;

  test('is slow', async () => {
    const { unclear } = await whileBooking(
      `${way}: longer for 3 s`,
      async (aWhile, patienceMs) => {
        each((way) => way.delay(ofPatience * patienceMs));
        await aWhile();
        each((way) => way.mend());
      },
      toldPromisedMs,
    );
    expect(unclear).toBeGreaterThan(0);
  });

  test('is reset', async () => {
    const { unclear } = await whileBooking(
      `${way}: cut off for 3 s`,
      async (aWhile) => {
        each((way) => way.cut());
        await aWhile();
        each((way) => way.mend());
      },
      toldPromisedMs,
    );
    expect(unclear).toBeGreaterThan(0);
  });

  test.each(['client', 'server'] as const)('is half closed: only the %s notices', async (end) => {
    let torn = 0;
    await whileBooking(`${way}: half closed to the ${end}`, async () => {
      torn = ways[to].map((way) => way.halfClose(end)).reduce((sum, count) => sum + count);
    });
    expect(torn).toBeGreaterThanOrEqual(ways[to].length);
  });
});
