import { Pool } from 'pg';
import { afterAll, afterEach, expect, inject } from 'vitest';
import { accessTokens } from '#adapters/http/guards/access-token.ts';
import { type ConcertId, userId } from '#domain/ids.ts';
import { apiClient, type Client, fetchTransport, send, tally } from './client/client.ts';
import { copyDatabase } from './database.ts';
import { freshDatabase } from './fresh-database.ts';
import { type Hall, makeUsers, openHall } from './hall.ts';
import { ADMIN_KEY, digestOf, type Instance, SECRETS, type Settings, startInstance } from './instance.ts';
import { until } from './until.ts';

export type WorldPlan = {
  readonly instances?: number;
  readonly settings?: Settings;
  readonly redisUrl?: string;
  readonly databaseUrl?: string;
};

/** Instances side by side on one Redis and one database, and the clients that use them. */
export type World = {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly pool: Pool;
  readonly instances: readonly Instance[];
  /** One instance more, until the test file ends: like the others, or of another version by its `main`. */
  start(settings?: Settings, main?: string): Promise<Instance>;
  openHall(hall?: Hall): Promise<ConcertId>;
  /** Clients of users that exist. Their requests go to these instances in turn, by default to all. */
  fans<Count extends Few>(count: Count, options?: FanOptions): Promise<ListOf<Count>>;
  fans(count: number, options?: FanOptions): Promise<Client[]>;
  /** Waits until every server that it was started with says that nothing is amiss. */
  untilReady(): Promise<void>;
  fan(options?: FanOptions): Promise<Client>;
};

type Few = 1 | 2 | 3 | 4 | 5 | 6 | 7;
type ListOf<Count extends number, List extends Client[] = []> = List['length'] extends Count
  ? List
  : ListOf<Count, [...List, Client]>;

type FanOptions = {
  readonly balance?: number;
  readonly doors?: readonly Instance[];
  /** After which a request is given up. */
  readonly patienceMs?: number;
};

const MINUTE_SECONDS = 60;
const ERROR_LEVEL = 50;

/**
 * Instances of the test file's own, for settings or stores that others must not share. Called at the top of a test file,
 * where hooks are registered: `const world = await startWorld({ … });`. They end with the file, and no test passes in which
 * an instance logged an error.
 */
export async function startWorld(plan: WorldPlan = {}): Promise<World> {
  const databaseUrl = plan.databaseUrl ?? (await freshDatabase());
  return enter(await makeWorld({ ...plan, databaseUrl }), true);
}

/** Of the shared instances the first one says more and lets more in, for the tests of that; the second one is as production is. */
export const SHOP = 'https://shop.example';
export const FORMER_ADMIN_KEY = 'the-key-until-now';
const FIRST_SHARED = {
  LOG_LEVEL: 'info',
  CORS_ORIGINS: `${SHOP}, https://other.example`,
  ADMIN_KEYS: `former:${digestOf(FORMER_ADMIN_KEY)},test:${digestOf(ADMIN_KEY)}`,
};
let shared: Promise<MadeWorld> | undefined;

/** Each instance works for every concert on sale, several times a second: those of earlier test files are none. */
const ALL_PLAYED = `UPDATE concert_dates SET starts_at = '2020-01-01' WHERE starts_at > clock_timestamp()`;

/**
 * The instances with the settings of `instance.ts` that all test files of a worker share: two, on the stores of the run and
 * a database of their own. A test opens its own concerts and clients, and takes nothing away from others. Called as
 * `startWorld`. The reaper ends the instances with the worker.
 */
export async function sharedWorld(): Promise<World> {
  shared ??= copyDatabase(inject('databaseUrl'), inject('databaseTemplate')).then(({ databaseUrl }) =>
    makeWorld({ databaseUrl, settingsOfFirst: FIRST_SHARED }),
  );
  return enter(await shared, false);
}

type MadeWorld = Omit<World, 'start'> & {
  readonly running: Instance[];
  start(settings?: Settings, main?: string): Promise<Instance>;
};

type FullPlan = WorldPlan & { readonly databaseUrl: string; readonly settingsOfFirst?: Settings };

async function makeWorld(plan: FullPlan): Promise<MadeWorld> {
  const { instances = 2, settings = {}, settingsOfFirst, databaseUrl, redisUrl = inject('redisUrl') } = plan;
  const running: Instance[] = [];
  const pool = new Pool({ connectionString: databaseUrl, max: 4 });
  // The database may be dropped before the last connection has gone; whatever else is lost, a query will say so.
  pool.on('error', () => {});

  async function start(more: Settings = {}, main?: string): Promise<Instance> {
    const all = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, ...settings, ...more };
    const instance = await startInstance(all, main);
    running.push(instance);
    return instance;
  }
  const started = await Promise.all(
    Array.from({ length: instances }, (_, index) => start(index === 0 ? settingsOfFirst : {})),
  );

  const identity = accessTokens({ secret: SECRETS.ACCESS_TOKEN_SECRET, seconds: 60 * MINUTE_SECONDS });
  let requests = 0;
  const fans = (async (count: number, { balance = 0, doors = started, patienceMs }: FanOptions = {}) => {
    const nextUrl = () => doors[requests++ % doors.length]?.url ?? '';
    const transport = fetchTransport(nextUrl, patienceMs);
    const users = await makeUsers(pool, count, balance);
    return users.map((id) => apiClient(transport, { userId: id, ...identity.issue(userId(id)) }));
  }) as World['fans'];

  return {
    databaseUrl,
    redisUrl,
    pool,
    instances: started,
    running,
    start,
    openHall: (hall) => openHall(pool, hall),
    fans,
    untilReady: () =>
      until('every instance is ready', async () => {
        const answers = await Promise.all(started.map(({ url }) => send(`${url}/readyz`)));
        return answers.every(({ status, body }) => status === 200 && body.status === 'ready');
      }),
    async fan(options) {
      const [fan] = await fans(1, options);
      return fan;
    },
  };
}

/** Registers the hooks of a test file: its own instances end with it, and none may log an error. */
function enter(made: MadeWorld, isOwn: boolean): World {
  const startedBefore = isOwn ? 0 : made.running.length;
  const reported = new Map(made.running.map((instance) => [instance, isOwn ? 0 : errorsOf(instance).length]));
  afterEach(() => {
    const errors = made.running.flatMap((instance) => {
      const all = errorsOf(instance);
      const fresh = all.slice(reported.get(instance) ?? 0);
      reported.set(instance, all.length);
      return fresh;
    });
    expect(errors, 'errors that the instances logged').toEqual([]);
  });
  afterAll(async () => {
    await Promise.all(made.running.splice(startedBefore).map((instance) => instance.end('SIGTERM')));
    if (isOwn) await made.pool.end();
    else await made.pool.query(ALL_PLAYED);
  });
  return made;
}

const errorsOf = (instance: Instance) => instance.log().filter(({ level }) => level >= ERROR_LEVEL);

/** Everybody joins and is let in. The last in line is the last to be let in, so it is enough to wait for that one. */
export async function letIn(fans: readonly Client[], concertId: ConcertId): Promise<void> {
  const answers = await Promise.all(fans.map((fan) => fan.join(concertId)));
  expect(tally(answers)).toEqual({ 201: fans.length });
  const sequences = answers.map(({ body }) => body.sequence ?? Number.NaN);
  await fans[sequences.indexOf(Math.max(...sequences))]?.untilActive();
}
