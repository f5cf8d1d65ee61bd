import { Pool } from 'pg';
import { afterAll, afterEach, expect, inject } from 'vitest';
import { builtInIdentity } from '#adapters/http/identity.ts';
import { type ConcertId, userId } from '#domain/ids.ts';
import { type Fan, fanAt, send, tally } from './fan.ts';
import { freshDatabase } from './fresh-database.ts';
import { type Hall, makeUsers, openHall } from './hall.ts';
import { type Instance, SECRETS, type Settings, startInstance } from './instance.ts';
import { until } from './until.ts';

export type WorldPlan = {
  readonly instances?: number;
  readonly settings?: Settings;
  readonly redisUrl?: string;
  readonly databaseUrl?: string;
};

/** Servers side by side on one Redis and one database of their own, and people who use them. */
export type World = {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly pool: Pool;
  readonly instances: readonly Instance[];
  /** One server more, like the others. */
  start(settings?: Settings): Promise<Instance>;
  openHall(hall?: Hall): Promise<ConcertId>;
  /** Users of whom the servers know already. They knock at these doors in turn, by default at every instance. */
  fans(count: number, options?: FanOptions): Promise<Fan[]>;
  /** Waits until every server that it was started with says that nothing is amiss. */
  untilReady(): Promise<void>;
  fan(options?: FanOptions): Promise<Fan>;
};

type FanOptions = {
  readonly balance?: number;
  readonly doors?: readonly Instance[];
  /** After which they hang up. */
  readonly patienceMs?: number;
};

const MINUTE_SECONDS = 60;
const ERROR_LEVEL = 50;

/**
 * Called at the top of a test file, where hooks are registered: `const world = await startWorld();`. It ends with the
 * file, and no test passes in which a server logged an error.
 */
export async function startWorld({ instances = 3, settings = {}, ...servers }: WorldPlan = {}): Promise<World> {
  const databaseUrl = servers.databaseUrl ?? (await freshDatabase());
  const redis = servers.redisUrl ?? inject('redisUrl');
  const running: Instance[] = [];
  const pool = new Pool({ connectionString: databaseUrl, max: 4 });
  // The database may be dropped before the last connection has gone; whatever else is lost, a query will say so.
  pool.on('error', () => {});
  afterAll(async () => {
    await Promise.all(running.map((instance) => instance.end('SIGTERM')));
    await pool.end();
  });

  async function start(more: Settings = {}): Promise<Instance> {
    const instance = await startInstance({ DATABASE_URL: databaseUrl, REDIS_URL: redis, ...settings, ...more });
    running.push(instance);
    return instance;
  }
  const started = await Promise.all(Array.from({ length: instances }, () => start()));

  const reported = new Map<Instance, number>();
  afterEach(() => {
    const errors = running.flatMap((instance) => {
      const all = instance.log().filter(({ level }) => level >= ERROR_LEVEL);
      const fresh = all.slice(reported.get(instance));
      reported.set(instance, all.length);
      return fresh;
    });
    expect(errors, 'errors that the servers logged').toEqual([]);
  });

  const identity = builtInIdentity({ secret: SECRETS.ACCESS_TOKEN_SECRET, seconds: 60 * MINUTE_SECONDS });
  let knocks = 0;
  const fans: World['fans'] = async (count, { balance = 0, doors = started, patienceMs } = {}) => {
    const door = () => doors[knocks++ % doors.length]?.url ?? '';
    const users = await makeUsers(pool, count, balance);
    return users.map((id) => fanAt(door, { userId: id, ...identity.issue(userId(id)) }, patienceMs));
  };

  return {
    databaseUrl,
    redisUrl: redis,
    pool,
    instances: started,
    start,
    openHall: (hall) => openHall(pool, hall),
    fans,
    untilReady: () =>
      until('every instance is ready', async () => {
        const answers = await Promise.all(started.map(({ url }) => send(`${url}/readyz`, {})));
        return answers.every(({ status, body }) => status === 200 && body.status === 'ready');
      }),
    async fan(options) {
      const [fan] = await fans(1, options);
      if (fan === undefined) throw new RangeError('nobody came');
      return fan;
    },
  };
}

/** Everybody joins and is let in. The last in line is the last to be let in, so it is enough to wait for that one. */
export async function letIn(fans: readonly Fan[], concertId: ConcertId): Promise<void> {
  const answers = await Promise.all(fans.map((fan) => fan.join(concertId)));
  expect(tally(answers)).toEqual({ 201: fans.length });
  const sequences = answers.map(({ body }) => body.sequence ?? Number.NaN);
  await fans[sequences.indexOf(Math.max(...sequences))]?.untilActive();
}
